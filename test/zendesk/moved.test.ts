import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ZendeskClient } from "#lib/zendesk/client.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { unlimited } from "#test/zendesk/unlimited.ts";

/* A subdomain that was renamed or mapped answers 3xx (row 65): whoever follows it may read, or write, elsewhere. */

let zendesk: Zendesk;
let elsewhere: Zendesk;
let client: ZendeskClient;

beforeAll(async () => {
  const world = new World({ subdomain: "acme" });
  zendesk = await startZendesk({ worlds: [world, new World({ subdomain: "henceforth" })] });
  elsewhere = await startZendesk({ worlds: [new World({ subdomain: "acme" })] });
  const { email, token } = world.credentials;
  const header = async () => `Basic ${Buffer.from(`${email}/token:${token}`).toString("base64")}`;
  client = new ZendeskClient({
    urlTemplate: zendesk.url,
    isDefaultUrl: false,
    subdomain: "acme",
    authorization: { header, renew: async () => null },
    limiter: unlimited,
    options: { sleep: async () => {}, random: () => 0 },
  });
});
afterAll(async () => {
  for (const one of [client, zendesk, elsewhere]) await one.close();
});
beforeEach(() => {
  zendesk.faults.clear();
  for (const { journal } of [zendesk, elsewhere]) journal.clear();
});

const requests = {
  GET: () => client.get("/api/v2/users/me", { expect: "user" }),
  POST: () => client.write("POST", "/api/v2/webhooks", { webhook: { name: "A" } }, { expect: "webhook" }),
  PUT: () =>
    client.write("PUT", "/api/v2/organizations/1", { organization: { name: "A" } }, { expect: "organization" }),
};
const methods = ["GET", "POST", "PUT"] as const;

describe.each([301, 302, 307, 308] as const)("a redirect (%i)", (code) => {
  test.each(methods)(
    "of a %s is followed nowhere: the account has moved, and nothing is said to be done",
    async (method) => {
      for (const base of [`${elsewhere.origin}/acme`, `${zendesk.origin}/henceforth`]) {
        zendesk.journal.clear();
        const moved = zendesk.faults.add({ subdomain: "acme" }, fault.redirect(code, base));
        const failure = await requests[method]().catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(ZendeskError);
        expect(failure).toMatchObject({ code: "account_moved", scope: "connection", transient: false });
        // The host and no more of the address.
        expect((failure as ZendeskError).message).toContain(`It points to ${new URL(base).host}.`);
        expect((failure as ZendeskError).message).not.toContain("henceforth");
        expect(zendesk.journal.entries.map((entry) => [entry.method, entry.subdomain])).toEqual([[method, "acme"]]);
        moved.remove();
      }
      expect(elsewhere.journal.entries).toEqual([]);
    },
  );
});
