import type { Db } from "#db/client.ts";
import { countWords } from "#lib/number-words.ts";
import { instantWords } from "#lib/time-words.ts";
import { type Announced, readAnnounced } from "#lib/webhooks/store.ts";

export type { Announced } from "#lib/webhooks/store.ts";

const hour = 3_600_000;
/** Fewer changes tell nothing; of so many, or more, half have to be told: some have no event of their own. */
const enough = 10;
const tolerated = 0.5;
/** Where so many changes take longer, too few happen to tell. */
const lookedBack = 72 * hour;
/** Twice the time from one check to the next. */
const longestUnchecked = 2 * hour;

/** By connection, of those whose webhook works: of the newest changes that runs found how many a delivery had told. */
export function newestAnnounced(db: Db, workspaceId: number): Promise<Map<number, Announced>> {
  return readAnnounced(db, workspaceId, enough);
}

/** What is wrong with a webhook that Zendesk calls sound, and what a person can do about it. */
export interface Silence {
  code: "webhook_silent" | "webhook_unchecked";
  message: string;
  action: string;
}

/** Whether enough has changed within three days to tell of a webhook that it loses deliveries, or that it does not. Pure. */
export function isTelling({ told, untold, since }: Announced, now: Date): boolean {
  return told + untold >= enough && since !== null && now.getTime() - since.getTime() <= lookedBack;
}

/** Lost deliveries (row 87): most changes come without one. Null where they do not, or where too few happened to tell. Pure. */
export function lostDeliveries(announced: Announced, now: Date): Silence | null {
  const { told, untold, since } = announced;
  const changes = told + untold;
  if (since === null || !isTelling(announced, now) || untold <= changes * tolerated) return null;
  const share = Math.round((untold / changes) * 100);
  return {
    code: "webhook_silent",
    message: `Deliveries of the webhook are lost: of ${countWords(changes)} changes that the runs since ${instantWords(since)} found, it had not told ${countWords(untold)} (${share} %).`,
    action:
      "See in Zendesk's Admin Center, under Webhooks, what its calls are answered, and that PUBLIC_URL is reached from the internet. What was lost comes with the regular runs.",
  };
}

/** Nobody has looked for two hours whether the webhook is still there and active (row 93). Pure. */
export function uncheckedSince(
  { checkedAt, activeSince }: { checkedAt: Date | null; activeSince: Date | null },
  now: Date,
): Silence | null {
  const last = checkedAt ?? activeSince;
  if (last === null || now.getTime() - last.getTime() <= longestUnchecked) return null;
  return {
    code: "webhook_unchecked",
    message: `Nobody has looked since ${instantWords(last)} whether the webhook still works; that is due every hour.`,
    action:
      "See that the server runs and what its log says; with SCHEDULER=off, let something call POST /api/cron/maintenance every hour.",
  };
}
