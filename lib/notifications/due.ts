import { isUnderWay, runWords } from "#lib/connections/overdue.ts";
import { apiTokensEndOn } from "#lib/connections/present.ts";
import { type StreamName, streamTitles } from "#lib/connections/shapes.ts";
import type { ConnectionFacts, DueNotice, StreamFacts } from "#lib/notifications/facts.ts";
import { aboutDestination, writingTroubles } from "#lib/notifications/writing.ts";
import { countWords } from "#lib/number-words.ts";
import { instantWords, lengthWords } from "#lib/time-words.ts";
import { isTelling, lostDeliveries, uncheckedSince } from "#lib/webhooks/lost.ts";

const minute = 60_000;
const day = 86_400_000;
/** An end is told of so many days before; the nearest one alone. */
const tokenWarnings = [7, 30, 60];
const loginWarning = 7;
/** Seconds. */
const noticeableSkew = 60;

/**
 * The notices that should be open for a connection (T-55 … T-58). Pure. A message names instants, never ages: it stays the
 * same for as long as the fact does.
 */
export function dueNotices(facts: ConnectionFacts, now: Date): DueNotice[] {
  const writing = facts.destinations.flatMap(writingTroubles);
  // Nothing is expected of it but what was to be written through it.
  if (facts.state === "disconnected" || facts.state === "archived") return writing;
  const ends = [...apiTokenEnds(facts, now), ...loginEnds(facts, now)];
  // A person paused it and knows that it does not read; that its login runs out meanwhile is news.
  if (facts.state === "paused") return [...ends, ...writing];
  return [
    ...failing(facts),
    ...broken(facts, "failed"),
    ...broken(facts, "degraded"),
    ...approval(facts),
    ...stale(facts, now),
    ...drift(facts),
    ...ends,
    ...webhook(facts),
    ...silence(facts, now),
    ...clockSkew(facts),
    ...writing,
  ];
}

/**
 * Whether a notice that is not due stays open nevertheless: what it is about is just being looked at again, and no verdict
 * yet. Pure.
 */
export function isUndecided({ state, streams, webhook: hook }: ConnectionFacts, code: string): boolean {
  if (state === "paused") return false;
  if (/^(failed|degraded):/.test(code)) return streams.some((stream) => ["running", "waiting"].includes(stream.state));
  return code === "webhook_failing" && hook?.state === "failing";
}

/** Whether what a notice is about rests, was put away or is not known any more, so that its end is no good news. Pure. */
export function isPutAway({ state, destinations, webhook: hook }: ConnectionFacts, code: string, now: Date): boolean {
  if (state !== "active") return true;
  if (code === "webhook_silent") return !hook?.announced || !isTelling(hook.announced, now);
  const about = aboutDestination(code);
  return about !== null && !destinations.some(({ id, state: own }) => id === about.id && own === "on");
}

function failing({ state, failure }: ConnectionFacts): DueNotice[] {
  return state === "failing" && failure ? [{ ...failure, code: "failing" }] : [];
}

/** Streams that failed, or are degraded, for the same reason are one notice; what the connection says already is none. */
function broken(facts: ConnectionFacts, state: "failed" | "degraded"): DueNotice[] {
  const told = facts.state === "failing" ? facts.failure?.code : undefined;
  const byReason = new Map<string, StreamFacts[]>();
  for (const stream of facts.streams) {
    const code = stream.failure?.code;
    if (stream.state !== state || !code || code === told || code === "many_missing") continue;
    byReason.set(code, [...(byReason.get(code) ?? []), stream]);
  }
  return [...byReason].map(([code, streams]) => ({
    code: `${state}:${code}`,
    message: streams.map(({ name, failure }) => `${titleOf(name)}: ${failure?.message}`).join(" "),
    action: streams[0]?.failure?.action ?? "",
  }));
}

function approval({ streams, heldAbsences }: ConnectionFacts): DueNotice[] {
  const asking = streams.find(({ failure }) => failure?.code === "many_missing");
  if (!asking && heldAbsences === 0) return [];
  const message =
    asking?.failure?.message ??
    `${heldAbsences} stored rows are not shown by Zendesk any more: too many to be removed without a person's word. They are kept.`;
  const action = "Look under Held which rows they are, and allow their removal if that is right.";
  return [{ code: "approval_needed", message, action }];
}

/** By age, whatever the last error was or was not: nobody may have tried (row 122). What to do depends on whether somebody does. */
function stale({ streams, liveRun, intervalMinutes, clockSkewSeconds }: ConnectionFacts, now: Date): DueNotice[] {
  const longest = 2 * intervalMinutes * minute;
  // What a stream is fresh through was told by Zendesk's clock, when it moved by ours (row 47).
  const zendeskNow = now.getTime() + (clockSkewSeconds ?? 0) * 1000;
  const old = streams.filter(({ state, freshThrough, movedAt }) => {
    if (state === "not_available") return false;
    const age = freshThrough ? zendeskNow - freshThrough.getTime() : now.getTime() - movedAt.getTime();
    return age > longest;
  });
  if (old.length === 0) return [];
  const each = old.map(({ name, freshThrough, movedAt }) =>
    freshThrough
      ? `${titleOf(name)} are fresh through ${instantWords(freshThrough)} only.`
      : `${titleOf(name)} were never read to their end, and not read on since ${instantWords(movedAt)}.`,
  );
  const message = `${each.join(" ")} A sync is due every ${intervalMinutes} minutes.`;
  const action =
    liveRun && isUnderWay(liveRun, now)
      ? `${runWords(liveRun, now)} The connection's page shows how far it is.`
      : "Look at the connection's runs. If none was started: is the server running, or with SCHEDULER=off, does something call the cron routes?";
  return [{ code: "stale", message, action }];
}

/** The nightly check found more than a night usually does (row 23), until one finds no more than usual. */
function drift({ drift: found }: ConnectionFacts): DueNotice[] {
  const unusual = found.filter((stream) => stream.unusual);
  const [first] = unusual;
  if (!first) return [];
  const each = unusual.map(({ stream, compared, missing, extra, older, different, repaired }) => {
    const differing = missing + extra + older + different;
    return `${titleOf(stream)}: ${countWords(differing)} of ${countWords(Math.max(compared, differing))} rows, ${countWords(repaired)} repaired.`;
  });
  const message = `The check of the past that ended ${instantWords(first.checkedAt)} found unusually many rows that were not as in Zendesk. ${each.join(" ")}`;
  const action =
    "See under Past checks which rows they were and in what they differed. If the next check finds as many, ask the doctor, and whether anything else writes to this database.";
  return [{ code: "drift:unusual", message, action }];
}

function apiTokenEnds({ authType }: ConnectionFacts, now: Date): DueNotice[] {
  const end = new Date(`${apiTokensEndOn}T00:00:00Z`);
  const within = tokenWarnings.find((days) => end.getTime() - now.getTime() <= days * day);
  if (authType !== "api_token" || within === undefined) return [];
  const message = `This connection signs in with an API token, and Zendesk ends all API tokens on ${apiTokensEndOn}.`;
  const action = "Reconnect with OAuth before that day; rows and cursors stay.";
  return [{ code: `api_token_ends:${within}`, message, action }];
}

function loginEnds({ authType, loginEndsAt }: ConnectionFacts, now: Date): DueNotice[] {
  const isFar = loginEndsAt === null || loginEndsAt.getTime() - now.getTime() > loginWarning * day;
  if (authType !== "oauth" || isFar) return [];
  const message = `The sign-in at Zendesk can be renewed without a person until ${instantWords(loginEndsAt)} only.`;
  const action = "Let a run go through before then, which renews it (resume the connection), or reconnect.";
  return [{ code: `login_ends:${loginWarning}`, message, action }];
}

/** Neither a check that has to wait, nor the trouble of the whole connection, is the webhook's own. */
function webhook({ webhook: hook, failure }: ConnectionFacts): DueNotice[] {
  const code = hook?.failure?.code;
  if (hook?.state !== "failing" || code === "waiting" || (code && code === failure?.code)) return [];
  const { message, action } = hook.failure ?? {
    message: "The webhook in Zendesk does not work.",
    action: "Check the webhook of this connection.",
  };
  return [{ code: "webhook_failing", message, action }];
}

/** What a webhook that Zendesk calls sound does not do (row 87), and whether anybody still looks at it (row 93). */
function silence({ webhook: hook }: ConnectionFacts, now: Date): DueNotice[] {
  if (hook?.state !== "active") return [];
  const { announced } = hook;
  return [announced && lostDeliveries(announced, now), uncheckedSince(hook, now)].filter((notice) => notice !== null);
}

function clockSkew({ clockSkewSeconds: seconds }: ConnectionFacts): DueNotice[] {
  if (seconds === null || Math.abs(seconds) <= noticeableSkew) return [];
  const message = `The clock of this machine is ${lengthWords(seconds * 1000)} ${seconds > 0 ? "behind" : "ahead of"} Zendesk's.`;
  const action = "Let the time of this machine be set by NTP.";
  return [{ code: "clock_skew", message, action }];
}

const titleOf = (stream: string): string => streamTitles[stream as StreamName] ?? stream;
