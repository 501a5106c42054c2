import { expect, test } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import { byIdRequests, type Linked, link, smallWorld } from "#test/webhooks/linked.ts";

const database = useDatabase();

/** A ticket has changed, and deliveries have told of it; how many hints that has made. */
async function toldOfChange(linked: Linked): Promise<number> {
  const [ticket] = [...linked.world.tickets.byId.values()];
  linked.world.tickets.update(ticket?.id ?? "", { subject: "Ours" });
  await linked.zendesk.webhooks.deliver();
  const hints = await linked.hints();
  expect(hints.length).toBeGreaterThan(0);
  return hints.length;
}

/** Somebody else's account takes the subdomain: the same ids, and the same credentials open it. */
function takeOver(linked: Linked): void {
  const other = smallWorld({ clock: new Date(linked.world.now()) });
  other.users.update(other.adminId, { email: "stranger@elsewhere.example" });
  for (const [id, client] of linked.world.access.clients) other.access.clients.set(id, client);
  other.access.tokens.push(...linked.world.access.tokens);
  other.advance(60_000);
  linked.zendesk.serve(other);
  linked.zendesk.journal.clear();
}

test("another account behind the subdomain gets no webhook of ours: nothing is written there (row 64)", async () => {
  const linked = await link(database);
  takeOver(linked);
  await linked.check();
  const asked = linked.zendesk.journal.to("/api/v2/").map(({ method, path }) => `${method} ${path}`);
  expect(new Set(asked)).toEqual(new Set(["GET /api/v2/users/me"]));
  expect(await linked.webhook()).toMatchObject({ state: "failing", failure_code: "different_account" });
});

test("what another account answers before any run has met it is not stored, and asked for again (row 64)", async () => {
  const linked = await link(database);
  await linked.check();
  await linked.sync();
  const hints = await toldOfChange(linked);
  takeOver(linked);
  const stored = () =>
    linked.read(async (trx) => [
      await trx.selectFrom("ticket").selectAll().orderBy("id").execute(),
      await trx.selectFrom("zendesk_user").selectAll().orderBy("id").execute(),
      await trx.selectFrom("organization").selectAll().orderBy("id").execute(),
    ]);
  const before = await stored();
  expect(await linked.drain()).toMatchObject({ changed: 0, left: hints });
  expect(byIdRequests(linked).length).toBeGreaterThan(0);
  expect(await stored()).toEqual(before);
});

test.each(["reconnect", "credentials_rejected"])(
  "a login that a run has lost (%s) is not tried by deliveries, and what they named is fetched after a new one (rows 60, 61)",
  async (code) => {
    const linked = await link(database);
    await linked.check();
    await linked.sync();
    const hints = await toldOfChange(linked);
    const be = (change: { state: string; failure_code: string | null }) =>
      linked.read((trx) => trx.updateTable("connection").set(change).execute());
    await be({ state: "failing", failure_code: code });
    linked.zendesk.journal.clear();
    expect(await linked.drain()).toMatchObject({ fetched: 0, left: hints });
    expect(linked.zendesk.journal.entries).toEqual([]);
    await be({ state: "active", failure_code: null });
    expect(await linked.drain()).toMatchObject({ fetched: hints, left: 0 });
  },
);

test("what was delivered before is not fetched from another account, once a run has met it (row 64)", async () => {
  const linked = await link(database);
  await linked.check();
  const hints = await toldOfChange(linked);
  takeOver(linked);
  const met = await linked.sync();
  expect(met.connectionFailure).toMatchObject({ code: "different_account" });
  // What the end of that run writes down.
  const failing = { state: "failing", failure_code: "different_account" };
  await linked.read((trx) => trx.updateTable("connection").set(failing).execute());
  linked.zendesk.journal.clear();
  expect(await linked.drain()).toMatchObject({ fetched: 0, left: hints });
  expect(byIdRequests(linked)).toEqual([]);
  expect(linked.zendesk.journal.entries).toEqual([]);
});
