import { type Finding, failure, type LiveVisit, ok, unknown } from "#lib/connections/doctor-checks/finding.ts";
import { hurried, reachWords } from "#lib/connections/hurried.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import { checkSameAccount, type Identity, whoAmI } from "#lib/zendesk/identity.ts";
import { TransportError } from "#lib/zendesk/transport.ts";

/** Failures that are the login's; the account behind the address did answer. */
const aboutLogin = ["credentials_rejected", "reconnect", "missing_scope", "forbidden", "different_account"];

export interface Arrival {
  findings: Finding[];
  identity: Identity | null;
  /** Why nothing else need be asked of this account, else null. */
  closed: string | null;
}

/** Is the account where it was, and who are we there? One request answers both. Throws what is no answer: a wait, a broken key. */
export async function arrive(visit: Omit<LiveVisit, "identity">): Promise<Arrival> {
  const { client, connection } = visit;
  const answers = ok("address", `${client.base} answers.`);
  try {
    const identity = await whoAmI(client);
    checkSameAccount(identity, connection);
    return { findings: [answers, loginFinding(identity, connection)], identity, closed: null };
  } catch (error) {
    if (!(error instanceof ZendeskError)) throw error;
    if (aboutLogin.includes(error.code)) {
      // A token that may not say whose it is may still read.
      const closed = error.code === "missing_scope" ? null : `Not tried: ${error.message}`;
      return { findings: [answers, failure("login", error.message, error.action)], identity: null, closed };
    }
    if (error.code === "unreachable") return unanswered(silenceWords(client.base, error) ?? error.message);
    const findings = [failure("address", error.message, error.action), unknown("login", "Not tried: see the address.")];
    return { findings, identity: null, closed: "Not tried: see the address." };
  }
}

/** Nobody is there, as `found` says: nothing else was tried. */
export function unanswered(found: string): Arrival {
  const closed = "Not tried: the address does not answer.";
  return { findings: [failure("address", found, reachWords), unknown("login", closed)], identity: null, closed };
}

function silenceWords(base: string, { cause }: ZendeskError): string | null {
  const isSilent = cause instanceof TransportError && cause.kind === "timeout";
  return isSilent ? `${base} does not answer within ${hurried.deadlines.headers / 1000} seconds.` : null;
}

function loginFinding(identity: Identity, connection: LiveVisit["connection"]): Finding {
  const who = `${identity.name ?? "Somebody without a name"} (${identity.email ?? identity.id})`;
  const by = connection.connected_by ? `, by ${connection.connected_by}` : "";
  const same = `the same login as when this was connected${by}`;
  if (identity.role === "admin") return ok("login", `${who}, administrator; ${same}.`);
  return failure(
    "login",
    `${who}, ${same}, is ${identity.role || "no agent"} and no administrator: lists may be shorter than the truth, and nothing is removed.`,
    "Make the login an administrator again, or reconnect as another.",
  );
}
