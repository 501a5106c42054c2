import { type Arrival, arrive, unanswered } from "#lib/connections/doctor-checks/address-and-login.ts";
import { checkCredentials } from "#lib/connections/doctor-checks/credentials.ts";
import { type Check, examine, reasonOf } from "#lib/connections/doctor-checks/examine.ts";
import {
  type CheckKey,
  type Finding,
  type LiveVisit,
  unknown,
  type Visit,
} from "#lib/connections/doctor-checks/finding.ts";
import { checkScopes } from "#lib/connections/doctor-checks/granted-access.ts";
import { checkSatisfaction } from "#lib/connections/doctor-checks/satisfaction.ts";
import { checkFields, checkStream, probedStreams, streamFinding } from "#lib/connections/doctor-checks/streams.ts";
import { hurried, inTime } from "#lib/connections/hurried.ts";
import { streamNames } from "#lib/connections/shapes.ts";
import { instantWords } from "#lib/time-words.ts";
import { openClient } from "#lib/zendesk/credentials.ts";

const liveChecks: Check<LiveVisit>[] = [
  { keys: ["scopes"], find: checkScopes },
  ...probedStreams.map((name) => ({
    keys: [`stream:${name}`] as CheckKey[],
    find: (visit: LiveVisit) => checkStream(visit, name),
  })),
  { keys: ["stream:fields"], find: checkFields },
  { keys: ["stream:satisfaction_ratings", "csat"], find: checkSatisfaction },
  { keys: ["credentials"], find: checkCredentials },
];

export interface Heard {
  findings: Finding[];
  /** Seconds that this machine's clock is behind Zendesk's; null where Zendesk was not heard. */
  behindZendesk: number | null;
}

/** Everything that Zendesk has to be asked for, unless it is already clear that it need not be. */
export async function examineZendesk(visit: Visit): Promise<Heard> {
  const resting = restWords(visit.connection);
  if (resting !== null) return { findings: nothingAsked(visit, resting), behindZendesk: null };
  try {
    const client = openClient(visit.ctx, visit.connection, { ...hurried, signal: visit.over });
    try {
      return await visitZendesk({ ...visit, client });
    } finally {
      await client.close();
    }
  } catch (error) {
    return { findings: nothingAsked(visit, reasonOf(visit, error)), behindZendesk: null };
  }
}

async function visitZendesk(visit: Omit<LiveVisit, "identity">): Promise<Heard> {
  const { findings, identity, closed } = await arriveInTime(visit);
  const live: LiveVisit = { ...visit, identity };
  const others = closed === null ? await examine(liveChecks, live) : notAsked(visit, closed);
  return { findings: [...findings, ...others], behindZendesk: heardClock(visit, findings) };
}

async function arriveInTime(visit: Omit<LiveVisit, "identity">): Promise<Arrival> {
  try {
    return await inTime(visit, () => arrive(visit));
  } catch (error) {
    if (!visit.over.aborted) throw error;
    return unanswered(`${visit.client.base} does not answer within ${visit.patienceMs / 1000} seconds.`);
  }
}

/** An answer of Zendesk's own tells its time; that of whoever answers instead tells nothing. */
function heardClock({ client }: Omit<LiveVisit, "identity">, arrival: Finding[]): number | null {
  const isThere = arrival.some(({ key, state }) => key === "address" && state === "ok");
  return isThere ? Math.round(client.skew / 1000) : null;
}

/** Why a connection that rests is not asked, or null for one that reads. */
function restWords({ state, paused_until: until }: Visit["connection"]): string | null {
  if (state === "paused") return `Not tried: the connection is paused${until ? ` until ${instantWords(until)}` : ""}.`;
  if (state === "disconnected" || state === "archived")
    return `Not tried: the connection is ${state} and has no login.`;
  return null;
}

function nothingAsked(visit: Visit, reason: string): Finding[] {
  return [unknown("address", reason), unknown("login", reason), ...notAsked(visit, reason)];
}

/** What comes after the arrival, unknown for one reason; of the streams, what is known without Zendesk. */
function notAsked(visit: Visit, reason: string): Finding[] {
  const others: CheckKey[] = ["credentials", "scopes", "csat"];
  return [
    ...others.map((key) => unknown(key, reason)),
    ...streamNames.map((name) => streamFinding(visit, name, { is: "untried", reason })),
  ];
}
