import { formatNumber } from "#app/_ui/num.tsx";
import type { Connection, Failure, StreamStatus } from "#lib/connections/shapes.ts";
import type { Notice } from "#lib/notifications/shapes.ts";
import { isUsed, lateStreams } from "./freshness.ts";

/** `bad`: numbers do not renew; `doubt`: they may be wrong or old; `calm`: all is right still, and something wants doing. */
export type Severity = "bad" | "doubt" | "calm";

/** Something that goes wrong with a connection, as every screen that shows its numbers says it (T-55). */
export interface Trouble {
  key: string;
  severity: Severity;
  /** What happened, with the name of the connection. */
  title: string;
  since: string | null;
  /** What to do. */
  action: string;
  link: { href: string; label: string };
}

interface Kind {
  severity: Severity;
  words: (connection: string, message: string) => string;
  /** Under the connection's address. */
  place: string;
  label: string;
}

const named = (connection: string, message: string) => `${connection}: ${message}`;
const ending: Kind = { severity: "doubt", words: named, place: "?tab=settings#login", label: "Change the login" };
const doctor = { place: "?tab=doctor", label: "Ask the doctor" };

/** By the code of a notice or the part of it before the colon, the most severe first. */
const kinds: Record<string, Kind> = {
  failing: {
    severity: "bad",
    words: (connection, message) => `${connection} does not sync: ${message}`,
    place: "",
    label: "Open the connection",
  },
  failed: { severity: "bad", words: named, place: "", label: "Open the connection" },
  stale: { severity: "bad", words: named, ...doctor },
  approval_needed: { severity: "doubt", words: named, place: "?tab=held#absent", label: "Decide" },
  degraded: { severity: "doubt", words: named, place: "?tab=held", label: "Show the held rows" },
  "api_token_ends:7": ending,
  login_ends: ending,
  api_token_ends: { ...ending, severity: "calm" },
  webhook_failing: { severity: "calm", words: named, place: "#webhook", label: "Show the webhook" },
  clock_skew: { severity: "calm", words: named, ...doctor },
};
const other: Kind = { severity: "doubt", words: named, place: "", label: "Open the connection" };
const order = Object.keys(kinds);
const prefixOf = (code: string) => code.split(":", 1)[0] ?? code;
const kindOf = (code: string): Kind => kinds[code] ?? kinds[prefixOf(code)] ?? other;
const rankOf = (code: string) => {
  const at = order.indexOf(code in kinds ? code : prefixOf(code));
  return at === -1 ? order.length : at;
};

interface Finding {
  connectionId: string;
  connection: string;
  code: string;
  message: string;
  action: string;
  since: string | null;
}

/**
 * What is wrong now, the most severe first. Whether something is wrong the connections tell, so that nothing old looks fresh
 * before its notice has come and nothing mended looks broken until its notice has gone; the notices tell it in full, and
 * what only they know.
 */
export function troublesOf(connections: readonly Connection[], notices: readonly Notice[], now: Date): Trouble[] {
  const findings = connections.filter(isUsed).flatMap((connection) => {
    const seen = findingsIn(connection, now);
    const told = notices
      .filter(({ connectionId, clearedAt }) => clearedAt === null && connectionId === connection.id)
      .filter(({ code }) => stillHolds(prefixOf(code), connection, seen))
      .map(({ raisedAt, ...notice }): Finding => ({ ...notice, since: raisedAt }));
    const known = new Set(told.map(({ code }) => prefixOf(code)));
    return [...told, ...seen.filter(({ code }) => !known.has(prefixOf(code)))];
  });
  return findings.toSorted((a, b) => rankOf(a.code) - rankOf(b.code)).map(present);
}

function stillHolds(kind: string, connection: Connection, seen: readonly Finding[]): boolean {
  const isSeen = seen.some(({ code }) => prefixOf(code) === kind);
  switch (kind) {
    case "failing":
    case "failed":
    case "degraded":
    case "approval_needed":
      return isSeen;
    case "stale":
      return isSeen || connection.streams.some((one) => one.freshThrough === null && one.state !== "not_available");
    case "webhook_failing":
      return connection.webhook.state !== "active";
    case "clock_skew":
      return connection.clockSkewSeconds !== null;
    default:
      return true;
  }
}

function present({ connectionId, connection, code, message, action, since }: Finding): Trouble {
  const { severity, words, place, label } = kindOf(code);
  return {
    key: `${connectionId} ${code}`,
    severity,
    title: words(connection, message),
    since,
    action,
    link: { href: `/connections/${connectionId}${place}`, label },
  };
}

/** What a connection shows of itself. */
function findingsIn(connection: Connection, now: Date): Finding[] {
  const { id, name, failure, streams, absences } = connection;
  const of = { connectionId: id, connection: name };
  const finding = (code: string, message: string, action: string, since: string | null = null): Finding => ({
    ...of,
    code,
    message,
    action,
    since,
  });
  // A connection that fails as a whole is said once; that its streams stand still follows from it.
  if (failure) return [{ ...of, ...failure, code: "failing" }];
  const findings = streams.flatMap((stream) => findingOf(stream)).map((found) => ({ ...of, ...found }));
  const held = absences.filter((absence) => absence.held > 0);
  if (held.length > 0) {
    const rows = held.map((absence) => `${formatNumber(absence.held, "en")} ${absence.stream}`).join(" and ");
    const message = `Zendesk no longer shows ${rows}, more than is taken away without a person’s word.`;
    findings.push(finding("approval_needed", message, "Until then they stay and count."));
  }
  const late = connection.state === "paused" ? [] : lateStreams(connection, now);
  if (late.length > 0) {
    const message = `${late.map(({ name: stream }) => stream.replace("_", " ")).join(", ")} ${late.length === 1 ? "has" : "have"} not been read for more than two intervals.`;
    findings.push(finding("stale", message, "The doctor finds out why.", late[0]?.freshThrough ?? null));
  }
  return findings;
}

function findingOf({ name, state, failure, held }: StreamStatus): Omit<Finding, "connectionId" | "connection">[] {
  const stream = name.replace("_", " ");
  const said = (code: string, fallback: string, known: Failure | null) => [
    {
      code,
      message: known?.message ?? fallback,
      action: known?.action ?? "",
      since: known?.since ?? null,
    },
  ];
  if (state === "failed") return said(`failed:${name}`, `${stream} could not be read.`, failure);
  // Those that are missing at once are said with the decision that they wait for.
  if (failure?.code === "many_missing") return [];
  if (state === "degraded")
    return said(`degraded:${name}`, `${formatNumber(held, "en")} rows of ${stream} could not be stored.`, failure);
  return [];
}
