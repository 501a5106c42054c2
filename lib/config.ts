import { ConfigError, type Environment, EnvironmentReader } from "#lib/environment.ts";

/**
 * The environment, read once: typed, grouped and frozen. Nothing else in the product reads `process.env`.
 *
 * Two readers share the rules. `readLaunchConfig` is for `npm start`, where the database, the secrets and the demo may
 * still be left to defaults. `readConfig` is for a serving process, where everything has been decided.
 * Both collect every problem before they throw.
 */

export { ConfigError, type Environment };

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

export interface OidcConfig {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** What the sign-in button says. */
  name: string;
}

interface SharedConfig {
  server: {
    host: string;
    port: number;
    /** The origin that users see (`https://bellwether.example`), or null where the request's own host decides. */
    publicUrl: string | null;
  };
  scheduler: "internal" | "off";
  /** Where what must outlive a process is kept; as given, so possibly relative (the launcher passes it on absolute). */
  dataDir: string;
  zendesk: {
    /** Holds `{subdomain}`; no slash at its end, so that `/api/v2/…` is appended as it is. */
    urlTemplate: string;
    /** True for Zendesk itself; false where ZENDESK_URL names a proxy or a stand-in, loopback included (row 107). */
    isDefaultUrl: boolean;
    /** The OAuth client behind the connect button, or null where none is registered. */
    client: { id: string; secret: string } | null;
  };
  demo: boolean;
  oidc: OidcConfig | null;
  /** Where notices go out by e-mail, or null where they are shown only. `url` may hold a password. */
  mail: { url: string; from: string } | null;
  log: { level: LogLevel };
  bootstrapApiKey: string | null;
}

export interface Config extends SharedConfig {
  /** `isEmbedded`: the launcher runs it; nobody but us can update it. */
  database: { url: string; poolSize: number; isEmbedded: boolean };
  /** At least 32 characters each. `encryption` seals credentials at rest and never lives in the database. */
  secrets: { auth: string; encryption: string; cron: string };
}

export interface LaunchConfig extends SharedConfig {
  /** `url` null: the embedded PostgreSQL. */
  database: { url: string | null; poolSize: number };
  /** Null where the secret is made at first start, which only happens with the embedded PostgreSQL. */
  secrets: { auth: string | null; encryption: string | null; cron: string | null };
  administrator: { email: string | null; password: string | null };
}

export const defaultZendeskUrl = "https://{subdomain}.zendesk.com";
export const secretVariables = { auth: "AUTH_SECRET", encryption: "ENCRYPTION_KEY", cron: "CRON_SECRET" } as const;

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

/** What a serving process needs. Throws a ConfigError that lists everything missing or wrong. */
export function readConfig(env: Environment = process.env): Config {
  const read = new EnvironmentReader(env);
  const config: Config = {
    ...shared(read, read.choice("DEMO", ["0", "1"] as const, "0") === "1"),
    database: {
      url: read.required(databaseUrl(read), "DATABASE_URL"),
      poolSize: poolSize(read),
      isEmbedded: read.choice("DATABASE_EMBEDDED", ["0", "1"] as const, "0") === "1",
    },
    secrets: {
      auth: read.required(read.secret("AUTH_SECRET"), "AUTH_SECRET"),
      encryption: read.required(read.secret("ENCRYPTION_KEY"), "ENCRYPTION_KEY"),
      cron: read.required(read.bearer("CRON_SECRET"), "CRON_SECRET"),
    },
  };
  return read.finish(config);
}

/** What `npm start` is told. With DATABASE_URL the three secrets are required; without it they may be absent. */
export function readLaunchConfig(env: Environment = process.env): LaunchConfig {
  const read = new EnvironmentReader(env);
  const url = databaseUrl(read);
  const secret = (name: string, value = read.secret(name)) =>
    read.text("DATABASE_URL") === null ? value : read.required(value, name);
  const config: LaunchConfig = {
    ...shared(read, read.choice("DEMO", ["0", "1"] as const, demoDefault(read)) === "1"),
    database: { url, poolSize: poolSize(read) },
    secrets: {
      auth: secret("AUTH_SECRET"),
      encryption: secret("ENCRYPTION_KEY"),
      cron: secret("CRON_SECRET", read.bearer("CRON_SECRET")),
    },
    administrator: { email: email(read), password: read.text("ADMIN_PASSWORD") },
  };
  if (config.demo && !config.zendesk.isDefaultUrl) {
    read.problem("ZENDESK_URL", "cannot be set together with DEMO=1: the demo brings its own Zendesk; leave one out");
  }
  return read.finish(config);
}

/** What the commands that save and bring back everything are told: they need no secret of the product. */
export function readStorageConfig(env: Environment = process.env): { databaseUrl: string | null; dataDir: string } {
  const read = new EnvironmentReader(env);
  return read.finish({ databaseUrl: databaseUrl(read), dataDir: dataDir(read) });
}

/** Every secret value of a configuration, for the logger to remove wherever it turns up (row 115). */
export function secretValues(config: Config): string[] {
  const password = URL.canParse(config.database.url) ? decodeURIComponent(new URL(config.database.url).password) : "";
  const values = [
    ...Object.values(config.secrets),
    config.bootstrapApiKey,
    config.zendesk.client?.secret,
    config.oidc?.clientSecret,
    password,
    config.mail && decodeURIComponent(new URL(config.mail.url).password),
  ];
  return values.filter((value): value is string => Boolean(value));
}

function shared(read: EnvironmentReader, demo: boolean): SharedConfig {
  const template = zendeskUrl(read);
  const [id, secret] = read.together(["ZENDESK_CLIENT_ID", "ZENDESK_CLIENT_SECRET"]);
  return {
    server: {
      host: read.text("HOST") ?? "127.0.0.1",
      port: read.integer("PORT", { from: 0, to: 65_535, otherwise: 3000 }),
      publicUrl: publicUrl(read),
    },
    dataDir: dataDir(read),
    scheduler: read.choice("SCHEDULER", ["internal", "off"] as const, "internal"),
    zendesk: {
      urlTemplate: template,
      isDefaultUrl: template === defaultZendeskUrl,
      client: id && secret ? { id, secret } : null,
    },
    demo,
    oidc: oidc(read),
    mail: mail(read),
    log: { level: read.choice("LOG_LEVEL", logLevels, "info") },
    bootstrapApiKey: read.bearer("BOOTSTRAP_API_KEY"),
  };
}

/**
 * A start with nothing configured shows the demo. A ZENDESK_URL of one's own counts as configured here too,
 * since the demo could only run by ignoring it.
 */
function demoDefault(read: EnvironmentReader): "0" | "1" {
  const configuring = ["DATABASE_URL", "ADMIN_EMAIL", "BOOTSTRAP_API_KEY", "ZENDESK_CLIENT_ID", "ZENDESK_URL"];
  return configuring.some((name) => read.text(name) !== null) ? "0" : "1";
}

function databaseUrl(read: EnvironmentReader): string | null {
  const url = read.text("DATABASE_URL");
  if (url === null) return null;
  if (URL.canParse(url) && ["postgres:", "postgresql:"].includes(new URL(url).protocol) && isPercentEncoded(url))
    return url;
  read.problem(
    "DATABASE_URL",
    "must look like postgres://user:password@host:5432/database, with % in a password written as %25",
  );
  return null;
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function dataDir(read: EnvironmentReader): string {
  return read.text("DATA_DIR") ?? ".data";
}

function poolSize(read: EnvironmentReader): number {
  return read.integer("DATABASE_POOL_SIZE", { from: 2, to: 90, otherwise: 10 });
}

function zendeskUrl(read: EnvironmentReader): string {
  const template = (read.text("ZENDESK_URL") ?? defaultZendeskUrl).replace(/\/+$/, "");
  const example = template.replaceAll("{subdomain}", "example");
  if (!template.includes("{subdomain}")) {
    read.problem("ZENDESK_URL", "must contain {subdomain}, as in http://127.0.0.1:4010/{subdomain}");
  } else if (!isHttpUrl(example) || new URL(example).search || new URL(example).hash || new URL(example).username) {
    read.problem("ZENDESK_URL", "must be an http or https address with neither a query nor a user name");
  }
  return template;
}

function publicUrl(read: EnvironmentReader): string | null {
  const url = read.text("PUBLIC_URL");
  if (url === null) return null;
  if (isHttpUrl(url) && url.replace(/\/$/, "") === new URL(url).origin) return new URL(url).origin;
  read.problem("PUBLIC_URL", "must be the origin that users see and nothing more, as in https://bellwether.example");
  return null;
}

function oidc(read: EnvironmentReader): OidcConfig | null {
  const [issuer, clientId, clientSecret] = read.together(["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"]);
  const name = read.text("OIDC_NAME");
  if (issuer && !isHttpUrl(issuer)) read.problem("OIDC_ISSUER", "must be an http or https address");
  if (!issuer || !clientId || !clientSecret) {
    if (name !== null && !issuer) read.problem("OIDC_NAME", "means nothing without OIDC_ISSUER");
    return null;
  }
  return { issuer, clientId, clientSecret, name: name ?? "Single sign-on" };
}

function mail(read: EnvironmentReader): SharedConfig["mail"] {
  const [url, from] = read.together(["SMTP_URL", "MAIL_FROM"]);
  const isServer = url && URL.canParse(url) && ["smtp:", "smtps:"].includes(new URL(url).protocol);
  if (url && !(isServer && new URL(url).hostname && isPercentEncoded(url))) {
    read.problem("SMTP_URL", "must look like smtp://user:password@host:587 or smtps://…, with % in a password as %25");
    return null;
  }
  if (from && !/^[^\s@<>]+@[^\s@<>]+$/.test(from)) read.problem("MAIL_FROM", "must be an e-mail address");
  return url && from ? { url, from } : null;
}

function email(read: EnvironmentReader): string | null {
  const address = read.text("ADMIN_EMAIL");
  if (address === null || /^[^\s@]+@[^\s@]+$/.test(address)) return address;
  read.problem("ADMIN_EMAIL", "must be an e-mail address");
  return null;
}

function isHttpUrl(url: string): boolean {
  return URL.canParse(url) && ["http:", "https:"].includes(new URL(url).protocol);
}
