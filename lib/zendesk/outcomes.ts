import type { FailureCode } from "#lib/zendesk/failures.ts";

/**
 * What a status means for the reading (rows 3, 61, 62, 64, 65). Never "skip and go on":
 * - `accept`: look at the body; - `retry`: the same request again, attempts and time bounded;
 * - `wait`: send nothing to this account before the time it names; - `renew`: a fresh access token, once;
 * - `shrink`: the page was too much, ask for a smaller one;
 * - `stop_stream`, `stop_connection`: end this stream, or all of them.
 */
export type Outcome = "accept" | "retry" | "wait" | "renew" | "shrink" | "stop_stream" | "stop_connection";

const outcomes: Record<number, Outcome> = {
  400: "stop_stream",
  401: "renew",
  402: "stop_connection",
  403: "stop_stream",
  404: "stop_stream",
  408: "retry",
  409: "retry",
  410: "stop_stream",
  413: "shrink",
  421: "retry",
  422: "stop_stream",
  425: "retry",
  429: "wait",
};

/** "Not modified" leads nowhere. */
const isRedirect = (status: number) => status >= 300 && status < 400 && status !== 304;

/** `told`: the answer carries a usable Retry-After. */
export function outcomeOf(status: number, told = false): Outcome {
  if (status >= 200 && status < 300) return "accept";
  if (isRedirect(status)) return "stop_connection";
  if (status === 503 && told) return "wait";
  // Answers that are not HTTP statuses of an application (gateways' 520–524 and the unheard-of) pass by themselves.
  return outcomes[status] ?? (status >= 400 && status < 500 ? "stop_stream" : "retry");
}

interface Words {
  code: FailureCode;
  says: string;
  action: string;
  about?: "subdomain" | "auth";
}

const words: Record<number, Words> = {
  401: {
    code: "credentials_rejected",
    says: "Zendesk rejects the credentials",
    action: "Reconnect with valid credentials of an administrator.",
    about: "auth",
  },
  402: {
    code: "forbidden",
    says: "Zendesk asks for payment before it answers",
    action: "Settle the Zendesk subscription, then reconnect.",
  },
  403: {
    code: "forbidden",
    says: "Zendesk refuses access",
    action: "Check that the connected login is an administrator and that the plan includes this data.",
    about: "auth",
  },
  404: {
    code: "not_found",
    says: "Zendesk does not know this address",
    action: "Check the subdomain, and that the plan includes this data.",
  },
};

const moved: Words = {
  code: "account_moved",
  says: "Zendesk answers with a redirect: the account has moved or been renamed",
  action: "If the account was renamed, reconnect with its new subdomain; what was read stays.",
  about: "subdomain",
};
const unavailable: Words = {
  code: "unavailable",
  says: "Zendesk does not answer properly at the moment",
  action: "Nothing to do: reading resumes with the next run. If it lasts, look at status.zendesk.com.",
};
const rejected: Words = {
  code: "rejected",
  says: "Zendesk rejects the request",
  action: "Try again; if it stays, report the request id to the people who run this product.",
};

export function wordsFor(status: number): Words {
  if (isRedirect(status)) return moved;
  return words[status] ?? (status >= 500 || status < 400 ? unavailable : rejected);
}
