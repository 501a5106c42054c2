import type { Trx } from "#db/client.ts";
import { commit, type Reading } from "#lib/zendesk/reading.ts";
import type { OrganizationRow, TicketRow, UserRow } from "#lib/zendesk/row-types.ts";
import { countAnnounced, toldSince } from "#lib/zendesk/store/announced.ts";
import type { Stream } from "#lib/zendesk/streams.ts";

const minute = 60_000;
/** What a delivery may take: Zendesk tries several times. The exports withhold the newest minute besides. */
const onTheWay = 5 * minute;
const withheld = minute;
/** Deliveries are kept a little longer. */
const remembered = 24 * 60 * minute;
/** The clocks of those who change a row and of those who tell of it may differ. */
const slack = minute;

/**
 * Counts, page by page, of which changes since the last run a webhook has told (row 87): each change in one run, when its
 * delivery has had its minutes. Of tickets every change counts that Zendesk itself calls an update; of users and organizations,
 * which change in ways that no event tells, that they were created. Gives null where no webhook tells of the stream.
 */
export async function watchDeliveries(
  reading: Reading,
  stream: Stream,
  fresh: number,
): Promise<((trx: Trx, rows: readonly unknown[]) => Promise<void>) | null> {
  const { scope, runId, client } = reading;
  const since = await commit(reading, (trx) => toldSince(trx, scope, stream.name));
  if (since === null) return null;
  const now = client.serverNow().getTime();
  const from = Math.max(fresh - onTheWay, since.getTime(), now - remembered);
  const to = now - withheld - onTheWay;
  return (trx, rows) => {
    const changes = rows.flatMap((row) => {
      const { id, createdAt, updatedAt } = row as TicketRow | UserRow | OrganizationRow;
      const at = (stream.name === "tickets" ? updatedAt : createdAt)?.getTime();
      return at !== undefined && at > from && at <= to ? [{ id, at }] : [];
    });
    return countAnnounced(trx, scope, runId, stream.name, changes, slack);
  };
}
