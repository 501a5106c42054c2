import {
  type Finding,
  failure,
  type LiveVisit,
  type StreamCheck,
  unknown,
  untried,
  type Visit,
  warning,
} from "#lib/connections/doctor-checks/finding.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import { countWords } from "#lib/number-words.ts";
import { instantWords } from "#lib/time-words.ts";
import type { Get } from "#lib/zendesk/client.ts";
import { fieldParts, fieldsAccess, type RefusedPart } from "#lib/zendesk/definition-readers.ts";
import { type FailureCode, ZendeskError } from "#lib/zendesk/failures.ts";

/** The cheapest request of a stream that tells whether it may be read: one row. */
interface Probe extends Pick<Get, "expect" | "endpoint"> {
  path: string;
  /** Exports begin two minutes ago: Zendesk refuses later starts. */
  isExport?: true;
}
const list = (name: string): Probe => ({ path: `/api/v2/${name}`, expect: name });

const probes: Record<Exclude<StreamName, "satisfaction_ratings" | "fields">, Probe> = {
  tickets: { path: "/api/v2/incremental/tickets/cursor", expect: "tickets", endpoint: "incremental", isExport: true },
  ticket_events: {
    path: "/api/v2/incremental/ticket_events",
    expect: "ticket_events",
    endpoint: "incremental",
    isExport: true,
  },
  users: { path: "/api/v2/incremental/users/cursor", expect: "users", endpoint: "incremental_users", isExport: true },
  organizations: {
    path: "/api/v2/incremental/organizations",
    expect: "organizations",
    endpoint: "incremental",
    isExport: true,
  },
  groups: list("groups"),
};
/** What the night reads beside a stream. */
const besides: Partial<Record<StreamName, Probe>> = { users: list("organization_memberships") };
export const probedStreams = Object.keys(probes) as (keyof typeof probes)[];

/** What Zendesk says to a probe. `refused`: 403, 404 or 410, with the failure in words. */
export type Permission =
  | { is: "granted" }
  | { is: "refused"; code: FailureCode; message: string; action: string }
  | { is: "untried"; reason: string };

/** One stream: may it be read, with what the night reads beside it, how did it end last, and how fresh is it? */
export async function checkStream(visit: LiveVisit, name: keyof typeof probes): Promise<Finding[]> {
  const permission = await ask(visit, probes[name]);
  const beside = besides[name];
  if (permission.is !== "granted" || !beside) return [streamFinding(visit, name, permission)];
  const more = await ask(visit, beside);
  if (more.is !== "refused") return [streamFinding(visit, name, more)];
  const stored = storedWords(visit, name);
  const found = `May be read, but not the ${words(beside)}: ${more.message} ${stored.found}`;
  // What the streams' own record says may be worse.
  return [
    stored.state === "failure"
      ? { key: `stream:${name}`, ...stored, found }
      : warning(`stream:${name}`, found, more.action),
  ];
}

/** The lists of definitions. Those that a run leaves out are left out, and warned of where it is not that Zendesk does not know them. */
export async function checkFields(visit: LiveVisit): Promise<Finding[]> {
  const refused: RefusedPart[] = [];
  let untried: Permission | null = null;
  for (const part of fieldParts) {
    const permission = await ask(visit, list(part));
    if (permission.is === "untried") untried ??= permission;
    if (permission.is === "refused") refused.push({ part, code: permission.code, message: permission.message });
  }
  const access = fieldsAccess(refused, visit.facts.fieldParts);
  if (access instanceof ZendeskError) return [streamFinding(visit, "fields", { is: "refused", ...access.words() })];
  if (untried) return [streamFinding(visit, "fields", untried)];
  const finding = streamFinding(visit, "fields", { is: "granted" });
  if (refused.length === 0) return [finding];
  const left = refused.map(({ part }) => part.replaceAll("_", " ")).join(", ");
  const found = `${finding.found} Left out, since refused: ${left}.`;
  const isKnown = refused.some(({ code }) => code !== "not_found");
  if (!isKnown || finding.state !== "ok") return [{ ...finding, found }];
  return [warning("stream:fields", found, "Check that the Zendesk plan includes these lists, and the login's role.")];
}

const words = ({ expect }: Probe): string => expect.replaceAll("_", " ");

/** Sends one probe. Never throws for what Zendesk answers. */
export async function ask(visit: LiveVisit, probe: Probe): Promise<Permission> {
  const { client } = visit;
  const start = Math.floor(client.serverNow().getTime() / 1000) - 120;
  const query = probe.isExport ? { start_time: start, per_page: 1 } : { "page[size]": 1 };
  try {
    await client.get(probe.path, { query, expect: probe.expect, ...(probe.endpoint && { endpoint: probe.endpoint }) });
    return { is: "granted" };
  } catch (error) {
    const reason = untried(error, visit);
    if (reason !== null) return { is: "untried", reason };
    const { code, message, action } = error as ZendeskError;
    return { is: "refused", code, message, action };
  }
}

/** What a permission comes to with what the database says of the stream. */
export function streamFinding(visit: Visit & Partial<LiveVisit>, name: StreamName, permission: Permission): Finding {
  const key: StreamCheck = `stream:${name}`;
  const stored = storedWords(visit, name);
  if (permission.is === "untried") {
    const found = `${permission.reason} ${stored.found}`;
    return stored.action ? { ...unknown(key, found), state: stored.state, action: stored.action } : unknown(key, found);
  }
  if (permission.is === "refused") {
    const { found, action } = refusalWords(visit, permission);
    return failure(key, `${found} ${stored.found}`, action);
  }
  return { key, ...stored, found: `May be read. ${stored.found}` };
}

/** Scope, role or plan: 403 may be any of them (zendesk-api section 1.5). */
function refusalWords(visit: Partial<LiveVisit>, refused: Permission & { is: "refused" }) {
  const { code, message, action } = refused;
  if (code === "missing_scope") return { found: `A scope is missing: ${message}`, action };
  const isAdministrator = visit.identity?.role === "admin";
  if (code === "forbidden" && visit.identity && !isAdministrator) {
    return {
      found: `The login's role is too low: ${message}`,
      action: "Make the login an administrator again, or reconnect as another.",
    };
  }
  if (isAdministrator && (code === "forbidden" || code === "not_found")) {
    return {
      found: `Refused to an administrator with the scopes for it, so the plan does not seem to include it: ${message}`,
      action: "Check what the Zendesk plan includes; the other streams are read without it.",
    };
  }
  return { found: `May not be read: ${message}`, action };
}

/** How the stream stands by its own record: its age counts, not its last error (row 122). */
function storedWords(visit: Visit, name: StreamName): Pick<Finding, "state" | "found" | "action"> {
  const { connection, facts } = visit;
  // What a stream is fresh through was told by Zendesk's clock (row 47).
  const now = new Date(visit.now.getTime() + (connection.clock_skew_seconds ?? 0) * 1000);
  const stream = facts.streams.get(name);
  const held = facts.held.get(name) ?? 0;
  const rows = held > 0 ? `; ${countWords(held)} ${held === 1 ? "row" : "rows"} held` : "";
  const fresh = stream?.fresh_through ?? null;
  const found = fresh ? `Fresh through ${instantWords(fresh)}${rows}.` : `Not read to its end yet${rows}.`;
  if (stream?.failure_code && stream.state !== "ok") {
    const worst = stream.state === "failed" ? "failure" : "warning";
    return { state: worst, found: `${found} ${stream.failure_message}`, action: stream.failure_action };
  }
  const interval = (connection.sync_interval_minutes ?? facts.syncIntervalMinutes) * 60_000;
  const age = fresh ? now.getTime() - fresh.getTime() : visit.now.getTime() - movedAt(visit).getTime();
  if (age > 2 * interval && connection.state !== "paused") {
    const action = "Look at the connection's runs, and at the check of the schedule.";
    const long = fresh ? "That" : `Nothing was read since ${instantWords(movedAt(visit))}, which`;
    return { state: "failure", found: `${found} ${long} is longer ago than two sync intervals.`, action };
  }
  if (held > 0) return { state: "warning", found, action: "Look at the held rows and try them again." };
  return { state: "ok", found, action: null };
}

/** When anything was last read: the streams are read one after the other, and a first reading may take hours. */
function movedAt({ connection, facts }: Visit): Date {
  const instants = [...facts.streams.values()].map((stream) => stream.updated_at.getTime());
  return new Date(Math.max(connection.created_at.getTime(), ...instants));
}
