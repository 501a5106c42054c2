import { expect, test } from "vitest";
import { ConfigError, type Environment, readConfig, readLaunchConfig, secretValues } from "#lib/config.ts";

const secret = (letter: string) => letter.repeat(32);
const complete: Environment = {
  DATABASE_URL: "postgres://ada:pa%24sword@127.0.0.1:5432/bellwether",
  AUTH_SECRET: secret("a"),
  ENCRYPTION_KEY: secret("e"),
  CRON_SECRET: secret("c"),
};

function problems(read: (env: Environment) => unknown, env: Environment): Record<string, string> {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) {
      return Object.fromEntries(error.problems.map(({ variable, message }) => [variable, message]));
    }
    throw error;
  }
  return {};
}

test("a serving process names everything that is missing at once", () => {
  expect(problems(readConfig, {})).toEqual({
    DATABASE_URL: "is missing",
    AUTH_SECRET: "is missing",
    ENCRYPTION_KEY: "is missing",
    CRON_SECRET: "is missing",
  });
});

test("every wrong variable is named in one error, missing ones included", () => {
  const wrong = problems(readConfig, {
    DATABASE_URL: "postgres://ada:half%@127.0.0.1/x",
    DATABASE_POOL_SIZE: "many",
    PORT: "70000",
    SCHEDULER: "cron",
    DEMO: "yes",
    LOG_LEVEL: "loud",
    ZENDESK_URL: "http://127.0.0.1:4010/acme",
    ZENDESK_CLIENT_ID: "bellwether",
    PUBLIC_URL: "https://bellwether.example/app",
    OIDC_ISSUER: "id.example",
    BOOTSTRAP_API_KEY: "short",
    CRON_SECRET: "x".repeat(31),
    AUTH_SECRET: "",
  });
  expect(Object.keys(wrong).sort()).toEqual(
    [
      "AUTH_SECRET",
      "BOOTSTRAP_API_KEY",
      "CRON_SECRET",
      "DATABASE_POOL_SIZE",
      "DATABASE_URL",
      "DEMO",
      "ENCRYPTION_KEY",
      "LOG_LEVEL",
      "OIDC_CLIENT_ID",
      "OIDC_CLIENT_SECRET",
      "OIDC_ISSUER",
      "PORT",
      "PUBLIC_URL",
      "SCHEDULER",
      "ZENDESK_CLIENT_SECRET",
      "ZENDESK_URL",
    ].sort(),
  );
  expect(wrong.CRON_SECRET).toBe("must have at least 32 characters and has 31");
  expect(wrong.ZENDESK_CLIENT_SECRET).toBe("is missing; it belongs to ZENDESK_CLIENT_ID");
});

test("an error never repeats a value, which may be a secret", () => {
  const env = { ...complete, DATABASE_URL: "mysql://ada:hunter2hunter2@db/x", CRON_SECRET: "tooshortsecret" };
  expect(() => readConfig(env)).toThrow(ConfigError);
  expect(() => readConfig(env)).not.toThrow(/hunter2|tooshortsecret/);
});

test("defaults hold where nothing is set, and an empty variable counts as absent", () => {
  expect(readConfig({ ...complete, PORT: "", HOST: " ", SCHEDULER: "" })).toEqual({
    server: { host: "127.0.0.1", port: 3000, publicUrl: null },
    database: { url: complete.DATABASE_URL, poolSize: 10, isEmbedded: false },
    secrets: { auth: secret("a"), encryption: secret("e"), cron: secret("c") },
    dataDir: ".data",
    scheduler: "internal",
    zendesk: { urlTemplate: "https://{subdomain}.zendesk.com", isDefaultUrl: true, client: null },
    demo: false,
    oidc: null,
    mail: null,
    log: { level: "info" },
    bootstrapApiKey: null,
  });
});

test("the configuration cannot be changed after it was read", () => {
  const config = readConfig(complete);
  expect(() => Object.assign(config, { demo: true })).toThrow(TypeError);
  expect(() => Object.assign(config.secrets, { auth: "" })).toThrow(TypeError);
});

test.each([
  ["http://127.0.0.1:4010/{subdomain}", "http://127.0.0.1:4010/{subdomain}"],
  ["http://127.0.0.1:4010/{subdomain}/", "http://127.0.0.1:4010/{subdomain}"],
  ["https://{subdomain}.proxy.example", "https://{subdomain}.proxy.example"],
])("ZENDESK_URL %s is a template that paths can be appended to", (given, template) => {
  const { zendesk } = readConfig({ ...complete, ZENDESK_URL: given });
  expect(zendesk).toMatchObject({ urlTemplate: template, isDefaultUrl: false });
});

test.each(["ftp://{subdomain}.example", "{subdomain}", "https://x/{subdomain}?a=1", "https://me@x/{subdomain}"])(
  "ZENDESK_URL %s is refused",
  (given) => {
    expect(problems(readConfig, { ...complete, ZENDESK_URL: given })).toHaveProperty("ZENDESK_URL");
  },
);

test("a mail server is taken whole, and its password is removed from the log", () => {
  const mail = { SMTP_URL: "smtp://robot:pass%25word-1@mail.example:587", MAIL_FROM: "bellwether@example.com" };
  const config = readConfig({ ...complete, ...mail });
  expect(config.mail).toEqual({ url: mail.SMTP_URL, from: mail.MAIL_FROM });
  expect(secretValues(config)).toContain("pass%word-1");
  expect(problems(readConfig, { ...complete, SMTP_URL: mail.SMTP_URL })).toHaveProperty("MAIL_FROM");
  expect(problems(readConfig, { ...complete, MAIL_FROM: mail.MAIL_FROM })).toHaveProperty("SMTP_URL");
  for (const SMTP_URL of ["http://mail.example", "mail.example:25", "smtp://u:100%@mail.example"]) {
    expect(problems(readConfig, { ...complete, ...mail, SMTP_URL }), SMTP_URL).toHaveProperty("SMTP_URL");
  }
  const forged = "a@example.com>\r\nBcc: b@example.com";
  expect(problems(readConfig, { ...complete, ...mail, MAIL_FROM: forged })).toHaveProperty("MAIL_FROM");
});

test("an OIDC provider is taken whole", () => {
  const provider = {
    OIDC_ISSUER: "https://id.example",
    OIDC_CLIENT_ID: "bellwether",
    OIDC_CLIENT_SECRET: "s3cret-s3cret",
  };
  expect(readConfig({ ...complete, ...provider }).oidc).toEqual({
    issuer: "https://id.example",
    clientId: "bellwether",
    clientSecret: "s3cret-s3cret",
    name: "Single sign-on",
  });
  expect(problems(readConfig, { ...complete, OIDC_NAME: "Example" })).toHaveProperty("OIDC_NAME");
});

test("the logger is told every secret value, the database's password included", () => {
  const env = {
    ...complete,
    ZENDESK_CLIENT_ID: "id",
    ZENDESK_CLIENT_SECRET: "zendesk-secret",
    BOOTSTRAP_API_KEY: secret("k"),
  };
  expect(secretValues(readConfig(env)).sort()).toEqual(
    [secret("a"), secret("e"), secret("c"), secret("k"), "zendesk-secret", "pa$sword"].sort(),
  );
});

test("a start may leave database and secrets open, but a database of one's own needs all three secrets", () => {
  expect(readLaunchConfig({})).toMatchObject({
    database: { url: null },
    secrets: { auth: null, encryption: null, cron: null },
    dataDir: ".data",
    administrator: { email: null, password: null },
  });
  expect(problems(readLaunchConfig, { DATABASE_URL: complete.DATABASE_URL, CRON_SECRET: secret("c") })).toEqual({
    AUTH_SECRET: "is missing",
    ENCRYPTION_KEY: "is missing",
  });
});

test("the demo is the default only while nothing is configured", () => {
  const demo = (env: Environment) => readLaunchConfig(env).demo;
  expect(demo({})).toBe(true);
  expect(demo({ PORT: "4000", DATA_DIR: "/srv/x" })).toBe(true);
  expect(demo({ DEMO: "0" })).toBe(false);
  expect(demo(complete)).toBe(false);
  expect(demo({ ADMIN_EMAIL: "ada@example.com" })).toBe(false);
  expect(demo({ BOOTSTRAP_API_KEY: secret("k") })).toBe(false);
  expect(demo({ ZENDESK_CLIENT_ID: "id", ZENDESK_CLIENT_SECRET: "secret" })).toBe(false);
  expect(demo({ ZENDESK_URL: "http://127.0.0.1:4010/{subdomain}" })).toBe(false);
  expect(demo({ ...complete, DEMO: "1" })).toBe(true);
});

test("a demo cannot be pointed at another Zendesk", () => {
  const env = { DEMO: "1", ZENDESK_URL: "http://127.0.0.1:4010/{subdomain}" };
  expect(problems(readLaunchConfig, env)).toHaveProperty("ZENDESK_URL");
});

test("a secret that no Authorization header could carry is refused before anybody tries", () => {
  const ending = `${secret("k")}\n`;
  for (const read of [readConfig, readLaunchConfig]) {
    const wrong = problems(read, { ...complete, BOOTSTRAP_API_KEY: ending, CRON_SECRET: ending });
    expect(Object.keys(wrong).sort()).toEqual(["BOOTSTRAP_API_KEY", "CRON_SECRET"]);
  }
});
