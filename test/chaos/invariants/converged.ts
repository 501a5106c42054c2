import { isDeepStrictEqual } from "node:util";
import type { Db } from "#db/client.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { compare, readStored } from "#test/zendesk/compared.ts";
import type { ChaosAccount } from "../accounts.ts";
import type { Violation } from "../violation.ts";
import { difference } from "./honest.ts";
import { snapshot } from "./snapshot.ts";
import { readTimeline, timelineWrongs } from "./timeline.ts";

const scale: Record<string, number> = { bad: 1, neutral: 2, good: 3 };

/** INV-CONV: after the calm every table equals the truth, row by row and field by field, and no stream has anything to complain of. */
export async function converged(db: Db, account: ChaosAccount): Promise<Violation[]> {
  const { scope, subdomain, world } = account;
  const { stored, states, ratings, timeline, connection } = await snapshot(db, scope.workspaceId, async (trx) => ({
    stored: await readStored(trx, scope.connectionId),
    states: await trx
      .selectFrom("stream_state")
      .select(["stream", "state", "failure_message"])
      .where("connection_id", "=", scope.connectionId)
      .where("purpose", "=", "incremental")
      .execute(),
    ratings: await trx
      .selectFrom("ticket")
      .select(["id", "rating", "rated_at"])
      .where("connection_id", "=", scope.connectionId)
      .execute(),
    timeline: await readTimeline(trx, account),
    connection: await trx
      .selectFrom("connection")
      .select(["state", "failure_message"])
      .where("id", "=", scope.connectionId)
      .executeTakeFirstOrThrow(),
  }));
  const should = truth(world);
  const rows = compare(stored, should).flatMap(({ table, is, should }) => {
    const known = new Map(is.map((row) => [row.id, row]));
    const real = new Set(should.map(({ id }) => id));
    const wrong = should
      .filter((row) => !isDeepStrictEqual(known.get(row.id), row))
      .map((row) => `${table} ${row.id} ${difference(known.get(row.id), row)}`);
    const extra = is.filter(({ id }) => !real.has(id)).map(({ id }) => `${table} ${id} should not be there`);
    return [...wrong, ...extra];
  });
  const answers = new Map(should.answers.map((answer) => [answer.ticketId, answer]));
  const rated = ratings
    .filter(({ id }) => !world.tickets.byId.get(id)?.deleted)
    .map(({ id, rating, rated_at }) => {
      const answer = answers.get(id);
      const counts = scale[answer?.score ?? ""] ?? null;
      const is = `${rating} of ${rated_at?.toISOString() ?? "no time"}`;
      return { id, is, should: `${counts} of ${answer && counts ? new Date(answer.at).toISOString() : "no time"}` };
    })
    .filter(({ is, should }) => is !== should)
    .map(({ id, is, should }) => `the rating of ticket ${id} is ${is}, should be ${should}`);
  const told = timelineWrongs(world, timeline);
  const complaints = states
    .filter(({ state }) => state !== "ok")
    .map(({ stream, state, failure_message }) => `${stream} is ${state}: ${failure_message}`);
  const failing =
    connection.state === "active" ? [] : [`the connection is ${connection.state}: ${connection.failure_message}`];
  return [...rows, ...rated, ...told, ...complaints, ...failing].map((what) => ({
    invariant: "INV-CONV",
    what: `${subdomain}: ${what}`,
  }));
}
