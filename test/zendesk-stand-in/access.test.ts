import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { basic, bearer, clientOf, type TestClient } from "./client.ts";

let zendesk: Zendesk;
let world: World;
let client: TestClient;

beforeAll(async () => {
  zendesk = await startZendesk({ worlds: [new World()] });
});
afterAll(() => zendesk.close());
beforeEach(() => {
  world = new World();
  zendesk.serve(world);
  client = clientOf({ ...zendesk, world: () => world });
});

const tickets = "/api/v2/incremental/tickets/cursor.json?start_time=0";

describe("who is asking", () => {
  it("answers users/me to nobody with 200 and an id of null", async () => {
    const { status, json } = await client.get("/api/v2/users/me.json", {});
    expect([status, json.user.id, json.user.name]).toEqual([200, null, "Anonymous user"]);
  });

  it("answers users/me to a password with 200 and an id of null, to a wrong API token with 401", async () => {
    const password = { authorization: `Basic ${Buffer.from("admin@acme.example:secret").toString("base64")}` };
    expect((await client.get("/api/v2/users/me", password)).json.user.id).toBeNull();
    const wrong = await client.get("/api/v2/users/me", basic("admin@acme.example", "wrong"));
    expect([wrong.status, wrong.json]).toEqual([401, { error: "Couldn't authenticate you" }]);
  });

  it("answers users/me to the administrator with id and role", async () => {
    const { json } = await client.get("/api/v2/users/me");
    expect(json.user).toMatchObject({ id: Number(world.adminId), role: "admin", email: "admin@acme.example" });
  });

  it("refuses nobody and a wrong API token elsewhere with 401", async () => {
    for (const headers of [{}, basic("admin@acme.example", "wrong"), basic("who@acme.example", world.apiToken)]) {
      const { status, json } = await client.get(tickets, headers);
      expect([status, json]).toEqual([401, { error: "Couldn't authenticate you" }]);
    }
  });

  it("refuses an unknown Bearer with invalid_token", async () => {
    const { status, json } = await client.get(tickets, bearer("nonsense"));
    expect([status, json.error]).toEqual([401, "invalid_token"]);
  });

  it("refuses admin endpoints to an agent, or shows fewer rows where the account is set so", async () => {
    for (let i = 0; i < 200; i++) world.tickets.create();
    world.advance(120_000);
    world.users.changeRole(world.adminId, "agent");
    const refused = await client.get(tickets);
    expect(refused).toMatchObject({ status: 403, json: { error: { title: "Forbidden" } } });

    world.settings.agentSees = 0.1;
    const fewer = await client.get(tickets);
    expect(fewer.status).toBe(200);
    expect(fewer.json.tickets.length).toBeGreaterThan(0);
    expect(fewer.json.tickets.length).toBeLessThan(60);
  });

  it("answers an unknown subdomain with 404 and a page", async () => {
    const response = await fetch(`${zendesk.origin}/nobody/api/v2/users/me`);
    expect([response.status, response.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
  });
});

describe("OAuth", () => {
  const redirectUri = "http://127.0.0.1:9/callback";
  const verifier = "v".repeat(43);
  const challenge = createHash("sha256").update(verifier).digest("base64url");

  async function authorize(extra: Record<string, string> = {}): Promise<URL> {
    const query = new URLSearchParams({
      response_type: "code",
      client_id: world.oauthClient.id,
      redirect_uri: redirectUri,
      scope: "read",
      state: "s1",
      code_challenge: challenge,
      code_challenge_method: "S256",
      ...extra,
    });
    const answer = await client.get(`/oauth/authorizations/new?${query}`, {});
    expect(answer.status).toBe(302);
    return new URL(answer.headers.get("location") ?? "");
  }

  const exchange = (code: string | null, extra: Record<string, unknown> = {}) =>
    client.send("POST", "/oauth/tokens", {
      grant_type: "authorization_code",
      client_id: world.oauthClient.id,
      client_secret: world.oauthClient.secret,
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
      ...extra,
    });

  const refresh = (refreshToken: string) =>
    client.send("POST", "/oauth/tokens", {
      grant_type: "refresh_token",
      client_id: world.oauthClient.id,
      client_secret: world.oauthClient.secret,
      refresh_token: refreshToken,
    });

  const credentials = (scope: unknown) =>
    client.send("POST", "/oauth/tokens", {
      grant_type: "client_credentials",
      client_id: world.oauthClient.id,
      client_secret: world.oauthClient.secret,
      scope,
    });

  it("exchanges a code once, with state, PKCE and a pair of tokens", async () => {
    const back = await authorize();
    expect(back.searchParams.get("state")).toBe("s1");
    const code = back.searchParams.get("code");
    const { status, json } = await exchange(code);
    expect([status, json.token_type, json.scope, json.expires_in]).toEqual([200, "bearer", "read", 1800]);
    expect((await client.get("/api/v2/users/me", bearer(json.access_token))).json.user.role).toBe("admin");
    const again = await exchange(code);
    expect([again.status, again.json.error]).toEqual([400, "invalid_grant"]);
  });

  it("sends a refusal back with access_denied and the state", async () => {
    const back = await authorize({ deny: "1" });
    expect([back.searchParams.get("error"), back.searchParams.get("state")]).toEqual(["access_denied", "s1"]);
  });

  it("refuses a wrong verifier, another redirect_uri and a code older than 120 seconds", async () => {
    for (const extra of [{ code_verifier: "w".repeat(43) }, { redirect_uri: "http://127.0.0.1:9/other" }]) {
      expect((await exchange((await authorize()).searchParams.get("code"), extra)).json.error).toBe("invalid_grant");
    }
    const late = (await authorize()).searchParams.get("code");
    world.advance(121_000);
    expect((await exchange(late)).json.error).toBe("invalid_grant");
  });

  it("rotates both tokens on refresh; the old pair dies and a replay leaves the new one alone", async () => {
    const first = (await exchange((await authorize()).searchParams.get("code"))).json;
    const second = (await refresh(first.refresh_token)).json;
    expect((await client.get("/api/v2/users/me", bearer(first.access_token))).status).toBe(401);
    const replay = await refresh(first.refresh_token);
    expect([replay.status, replay.json.error]).toEqual([400, "invalid_grant"]);
    expect((await client.get("/api/v2/users/me", bearer(second.access_token))).status).toBe(200);
    expect((await refresh(second.refresh_token)).status).toBe(200);
  });

  it("ends an access token after its life", async () => {
    world.access.accessTokenSeconds = 20;
    const { json } = await credentials("read");
    expect((await client.get("/api/v2/users/me", bearer(json.access_token))).status).toBe(200);
    world.advance(21_000);
    expect((await client.get("/api/v2/users/me", bearer(json.access_token))).status).toBe(401);
  });

  it("gives client credentials the creator's rights and no refresh token; a wrong secret is invalid_client", async () => {
    const { json } = await credentials("read");
    expect(json).not.toHaveProperty("refresh_token");
    expect((await client.get(tickets, bearer(json.access_token))).status).toBe(200);
    world.oauthClient.secret = "changed";
    const wrong = await credentials("read");
    expect([wrong.status, wrong.json.error]).toEqual([401, "invalid_client"]);
  });

  it("issues a token for scopes that nothing has, and then refuses every call", async () => {
    for (const scope of ["reed", ["read"]]) {
      const { status, json } = await credentials(scope);
      expect(status).toBe(200);
      const call = await client.get(tickets, bearer(json.access_token));
      expect([call.status, call.json.error]).toEqual([403, "Forbidden"]);
      expect(call.json.description).toContain("missing the following required scopes");
    }
  });

  it("checks granular scopes route by route, and refuses what the client may not ask for", async () => {
    const { json } = await credentials("tickets:read users:read");
    expect((await client.get(tickets, bearer(json.access_token))).status).toBe(200);
    expect((await client.get("/api/v2/groups", bearer(json.access_token))).status).toBe(403);
    const registered = world.access.clients.get(world.oauthClient.id);
    if (registered) registered.allowedScopes = ["tickets:read"];
    const refused = await credentials("read");
    expect([refused.status, refused.json.error]).toEqual([400, "invalid_scope"]);
  });

  it("describes and revokes the current token", async () => {
    const { json } = await credentials("read");
    const headers = bearer(json.access_token);
    const { token } = (await client.get("/api/v2/oauth/tokens/current", headers)).json;
    expect(token.scopes).toEqual(["read"]);
    expect(token.token).toBe(json.access_token.slice(0, 10));
    expect((await client.send("DELETE", "/api/v2/oauth/tokens/current", undefined, headers)).status).toBe(204);
    expect((await client.get("/api/v2/users/me", headers)).status).toBe(401);
  });
});

describe("answers of every kind", () => {
  it("carry a request id, the API version and the date of the account's clock", async () => {
    const { headers } = await client.get("/api/v2/users/me");
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get("x-zendesk-api-version")).toBe("v2");
    expect(headers.get("date")).toBe("Mon, 02 Mar 2026 09:00:00 GMT");
  });

  it("tell an unknown path from an unknown row", async () => {
    expect((await client.get("/api/v2/nothing")).json.error).toBe("InvalidEndpoint");
    expect((await client.get("/api/v2/tickets/999")).json).toEqual({
      error: "RecordNotFound",
      description: "Not found",
    });
  });

  it("take .json on Support paths and not on survey paths", async () => {
    world.settings.satisfaction = "survey";
    expect((await client.get("/api/v2/groups.json")).status).toBe(200);
    expect((await client.get("/api/v2/guide/survey_responses")).status).toBe(200);
    expect((await client.get("/api/v2/guide/survey_responses.json")).json.error).toBe("InvalidEndpoint");
  });
});
