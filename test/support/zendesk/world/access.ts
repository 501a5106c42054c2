import { createHash, randomBytes } from "node:crypto";
import type { Id } from "./ids.ts";
import type { World } from "./world.ts";

export interface OAuthClient {
  /** The identifier string that requests carry, not the numeric id. */
  identifier: string;
  /** Null: a public client, which has to prove itself by PKCE. */
  secret: string | null;
  /** Exact addresses; `*` accepts any. */
  redirectUris: string[];
  /** When set, other scopes are refused with `invalid_scope`. */
  allowedScopes?: string[];
}

export interface AccessToken {
  id: Id;
  accessToken: string;
  refreshToken: string | null;
  clientIdentifier: string;
  userId: Id;
  /** As asked for. Text that no scope has, or anything but text, is taken too; calls then fail. */
  scopes: string[];
  createdAt: number;
  expiresAt: number | null;
  refreshExpiresAt: number | null;
  revoked: boolean;
  refreshUsed: boolean;
}

interface Code {
  clientIdentifier: string;
  redirectUri: string;
  scopes: string[];
  challenge: string | null;
  expiresAt: number;
}

export class OAuthError extends Error {
  override name = "OAuthError";
  constructor(
    readonly code: "invalid_grant" | "invalid_client" | "invalid_scope" | "invalid_request" | "unsupported_grant_type",
    message: string,
  ) {
    super(message);
  }

  get status(): number {
    return this.code === "invalid_client" ? 401 : 400;
  }
}

const codeLife = 120_000;

/** API tokens, OAuth clients and tokens of an account. */
export class Access {
  readonly apiTokens = new Set<string>();
  readonly clients = new Map<string, OAuthClient>();
  readonly tokens: AccessToken[] = [];
  /** Lifetime of access tokens that ask for none, in seconds; null is for ever. */
  accessTokenSeconds: number | null = 1800;
  refreshTokenSeconds = 2_592_000;
  /** The person at the consent page refuses. */
  denies = false;
  /** The only scopes that the consent page gives, whatever was asked for. */
  allowsOnly: readonly string[] | null = null;
  private readonly codes = new Map<string, Code>();

  constructor(private readonly world: World) {}

  /**
   * The world's clock plus the time that the process runs, since a token also ends in a world that stands still.
   */
  private now(): number {
    return this.world.now() + (this.world.clock.live ? 0 : performance.now());
  }

  issueCode(input: Omit<Code, "expiresAt">): string {
    const code = secret("code");
    this.codes.set(code, { ...input, expiresAt: this.now() + codeLife });
    return code;
  }

  /** One use, 120 seconds, same address, and the verifier when a challenge was given. */
  exchangeCode(client: OAuthClient, input: { code: string; redirectUri: string; verifier?: string }): Code {
    const code = this.codes.get(input.code);
    this.codes.delete(input.code);
    if (code === undefined || code.expiresAt <= this.now() || code.clientIdentifier !== client.identifier) {
      throw new OAuthError("invalid_grant", "The authorization code is unknown, used or expired");
    }
    if (code.redirectUri !== input.redirectUri) {
      throw new OAuthError("invalid_grant", "The redirect_uri is not that of the authorization request");
    }
    if (code.challenge !== null && code.challenge !== challengeOf(input.verifier ?? "")) {
      throw new OAuthError("invalid_grant", "The code_verifier does not fit the code_challenge");
    }
    if (code.challenge === null && client.secret === null) {
      throw new OAuthError("invalid_grant", "A public client needs PKCE");
    }
    return code;
  }

  issueToken(client: OAuthClient, input: TokenRequest): AccessToken {
    const { scopes, refreshable } = input;
    const foreign = client.allowedScopes && scopes.find((scope) => !client.allowedScopes?.includes(scope));
    if (foreign !== undefined) throw new OAuthError("invalid_scope", `The client may not ask for ${foreign}`);
    const now = this.now();
    const life = input.expiresIn ?? this.accessTokenSeconds;
    const refreshLife = input.refreshTokenExpiresIn ?? this.refreshTokenSeconds;
    // Not from the world's sequence: what the clients do must not change which ids the next tickets get.
    const token: AccessToken = {
      id: String(this.tokens.length + 1),
      accessToken: secret("access"),
      refreshToken: refreshable ? secret("refresh") : null,
      clientIdentifier: client.identifier,
      userId: this.world.adminId,
      scopes,
      createdAt: now,
      expiresAt: life === null ? null : now + life * 1000,
      refreshExpiresAt: refreshable ? now + refreshLife * 1000 : null,
      revoked: false,
      refreshUsed: false,
    };
    this.tokens.push(token);
    return token;
  }

  /** The old pair dies; a replay of its refresh token fails and leaves the new pair alone. */
  refresh(client: OAuthClient, refreshToken: string, input: Partial<TokenRequest> = {}): AccessToken {
    const old = this.tokens.find((token) => token.refreshToken === refreshToken);
    const dead = old === undefined || old.refreshUsed || old.revoked || (old.refreshExpiresAt ?? 0) <= this.now();
    if (dead || old.clientIdentifier !== client.identifier) {
      throw new OAuthError("invalid_grant", "The refresh token is unknown, used or expired");
    }
    old.refreshUsed = true;
    old.revoked = true;
    return this.issueToken(client, { ...input, scopes: input.scopes ?? old.scopes, refreshable: true });
  }

  /** The living token with this text. */
  find(accessToken: string): AccessToken | undefined {
    const token = this.tokens.find((candidate) => candidate.accessToken === accessToken);
    if (token === undefined || token.revoked) return undefined;
    return token.expiresAt === null || token.expiresAt > this.now() ? token : undefined;
  }

  /** Every access token ends now; refresh tokens stay. */
  expireAccessTokens(): void {
    for (const token of this.tokens) token.expiresAt = 0;
  }

  /** As when a person revokes the integration: neither token nor refresh token works any more. */
  revokeAll(): void {
    for (const token of this.tokens) token.revoked = true;
  }

  secondsLeft(until: number | null): number | null {
    return until === null ? null : Math.round((until - this.now()) / 1000);
  }
}

export interface TokenRequest {
  scopes: string[];
  refreshable: boolean;
  expiresIn?: number | null;
  refreshTokenExpiresIn?: number | null;
}

function secret(kind: string): string {
  return `${kind}-${randomBytes(24).toString("base64url")}`;
}

function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}
