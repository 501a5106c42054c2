import { expect, test } from "vitest";
import { dryRunDestination } from "#lib/destinations/dry-run.ts";
import { openQueue } from "#test/destinations/queue-ground.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();

/** Group calls of as many kinds as there are ways to collide, and what becomes of each. */
const kinds = [
  { name: "taken", count: 20, ends: "held", code: "name_taken" },
  { name: "free", count: 10, ends: "held", code: "name_taken" },
  { name: "renamed", count: 10, ends: "failed", code: "name_taken" },
  { name: "other case", count: 5, ends: "done", code: null },
  { name: "new", count: 5, ends: "done", code: null },
] as const;

test("of 50 colliding organizations a dry run tells what is created, changed and in conflict, as the real run has it (row 102)", async () => {
  const queue = await openQueue(database);
  const { organizations } = queue.world;
  const commands = kinds.flatMap(({ name: kind, count }) =>
    Array.from({ length: count }, (_, n) => {
      const [key, name] = [`${kind}-${n}`, `Company ${kind} ${n}`];
      if (kind === "taken") organizations.create({ name: name.toUpperCase(), externalId: `old-${n}` });
      if (kind === "free") organizations.create({ name });
      if (kind === "renamed") {
        organizations.create({ name });
        organizations.create({ name: `Former ${n}`, externalId: key });
      }
      if (kind === "other case") organizations.create({ name, externalId: key.toUpperCase() });
      return { external_id: key, name, ...(kind === "other case" && { details: "New" }) };
    }),
  );
  const ids = await queue.queue(
    ...commands.map((fields) => ({ command: { fields, unmapped: {} }, lanes: [`o:${fields.external_id}`] })),
  );
  const { ctx, scope, destinationId, clock, zendesk } = queue;
  const told = await dryRunDestination(ctx, scope.workspaceId, String(destinationId), { deliveryIds: ids }, clock);
  expect(told.counts).toMatchObject({ create: 5, change: 5, remove: 0, none: 0, failed: 10, held: 30 });
  expect(zendesk.effects.entries).toEqual([]);
  await queue.drain();
  const ended = await Promise.all(ids.map((id) => queue.delivery(id)));
  expect(ended.map(({ state, code }) => ({ state, code }))).toEqual(
    kinds.flatMap(({ count, ends, code }) => Array.from({ length: count }, () => ({ state: ends, code }))),
  );
  expect(told.items.map(({ state, reason, fix }) => ({ state, reason, fix }))).toEqual(
    ended.map(({ state, reason, fix }) => ({ state, reason, fix })),
  );
});
