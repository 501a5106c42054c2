import pg from "pg";
import { expect, test } from "vitest";
import { POST as createKey } from "#app/api/v1/api-keys/route.ts";
import { GET as held } from "#app/api/v1/connections/[id]/held/route.ts";
import { POST as reconnect } from "#app/api/v1/connections/[id]/reconnect/route.ts";
import { PATCH as change, GET as getOne } from "#app/api/v1/connections/[id]/route.ts";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { GET as list } from "#app/api/v1/connections/route.ts";
import { POST as createUser } from "#app/api/v1/users/route.ts";
import { byClient, byToken, connectionsPath, useGround } from "#test/connections/ground.ts";
import { testEnvironment } from "#test/support/api.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { ApiRequest } from "#test/support/zendesk/server/request.ts";

const ground = useGround();
const { api, database } = ground;

/** Every value of every column of every table, as a dump has them. */
async function dump(): Promise<string> {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  try {
    const { rows: tables } = await owner.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'public'",
    );
    expect(tables.length).toBeGreaterThan(30);
    const texts: string[] = [];
    for (const { name } of tables) {
      const { rows } = await owner.query<{ row: string }>(`select t::text as row from "${name}" t`);
      texts.push(...rows.map(({ row }) => row));
    }
    return texts.join("\n");
  } finally {
    await owner.end();
  }
}

/** What some servers do in their error pages: say the request back, header and body and all. */
function saidBack(request: ApiRequest): string {
  return `cannot use ${request.headers.authorization} with ${request.body.toString("utf8")}`;
}

test("300 errors that say our credentials back leave none of them in logs, answers or the database", async () => {
  const workspace = await database.workspace();
  const key = await api.key(workspace);
  const secrets = [key, ...Object.values(testEnvironment)];
  const answers: string[] = [];
  let errors = 0;

  const made = await api.call(createKey, "/api/v1/api-keys", { key, body: { name: "canary", role: "viewer" } });
  const person = { email: "canary@example.com", role: "viewer", password: "canary password 4711" };
  await api.call(createUser, "/api/v1/users", { key, body: person });
  secrets.push(made.body.key, person.password);

  const codes = [400, 403, 404, 410, 418, 422, 451];
  for (const [subdomain, auth] of [
    ["echo-token", byToken],
    ["echo-client", byClient],
  ] as const) {
    const connected = await ground.connect(subdomain, { auth });
    await ground.settled(connected);
    const { world, path } = connected;
    const { email, token, clientSecret } = world.credentials;
    secrets.push(token, clientSecret, Buffer.from(`${email}/token:${token}`).toString("base64"));
    for (const code of codes) {
      const bodies = [
        (request: ApiRequest) => ({ status: code, json: { error: "Invalid", description: saidBack(request) } }),
        (request: ApiRequest) => ({ status: code, json: { error: { title: saidBack(request), message: "no" } } }),
        (request: ApiRequest) => ({ status: code, contentType: "text/plain", text: saidBack(request) }),
      ];
      for (const body of bodies) {
        const active = ground.zendesk.faults.add({ subdomain }, fault.answers("says it back", body));
        for (const attempt of [auth(world), { ...auth(world), ...wrongSecret(auth) }]) {
          answers.push(
            (await api.call(reconnect, `${path}/reconnect`, { key: connected.key, body: { auth: attempt } })).text,
            (await api.call(change, path, { key: connected.key, body: { auth: attempt } })).text,
          );
        }
        active.remove();
        errors += active.strikes;
      }
      const everywhere = ground.zendesk.faults.add(
        { subdomain, path: /^\/api\/v2\/(?!users\/me)/ },
        fault.answers("says it back", bodies[errors % 3] ?? (() => ({ status: code }))),
      );
      await api.call(sync, `${path}/sync`, { key: connected.key, body: { mode: "incremental" } });
      answers.push(JSON.stringify(await ground.settled(connected)));
      everywhere.remove();
      errors += everywhere.strikes;
    }
    const asked = { key: connected.key };
    answers.push(
      (await api.call(getOne, path, asked)).text,
      (await api.call(runs, `${path}/runs`, asked)).text,
      (await api.call(held, `${path}/held`, asked)).text,
      (await api.call(list, connectionsPath, asked)).text,
    );
    secrets.push(...world.access.tokens.map(({ accessToken }) => accessToken));
  }
  expect(errors).toBeGreaterThanOrEqual(300);

  const kept = { logs: api.logged.join(""), answers: answers.join("\n"), database: await dump() };
  expect(kept.answers).toContain("cannot use");
  for (const [place, text] of Object.entries(kept)) {
    const found = secrets.filter((secret) => text.includes(secret) || text.includes(encodeURIComponent(secret)));
    expect(found, `secrets in the ${place}`).toEqual([]);
  }
}, 120_000);

function wrongSecret(auth: typeof byToken) {
  return auth === byToken ? { token: "wrong-canary-token-4711" } : { clientSecret: "wrong-canary-secret-4711" };
}
