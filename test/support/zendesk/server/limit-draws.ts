import type { Answer } from "./answer.ts";
import type { BucketName } from "./limits.ts";
import type { ApiRequest } from "./request.ts";

/** One budget that a request draws on. */
export interface Draw {
  bucket: BucketName;
  /** The row whose own budget it is. */
  target?: string;
  /** Length of its window. Default 1. */
  minutes?: number;
  /** Where the budget is announced, when it is. */
  header?: string;
  /** What is said when it is used up; it has as many shapes as Zendesk has endpoints. */
  refusal: (total: number) => Omit<Answer, "status" | "headers">;
}

const plain =
  (text: string): Draw["refusal"] =>
  () => ({ contentType: "text/plain; charset=utf-8", text });

const account: Draw = { bucket: "account", refusal: plain("Number of allowed API requests per minute exceeded") };

const sunshine: Draw = {
  bucket: "sunshine",
  refusal: () => ({ json: { errors: [{ code: "TooManyRequests", title: "Too many requests" }] } }),
};

const exported: Draw["refusal"] = (total) => ({
  json: {
    error: "APIRateLimitExceeded",
    description: `Number of allowed incremental export API requests per minute exceeded (${total})`,
  },
});

/** The budgets that a request draws on, in the order in which they are asked (zendesk-api sections 2.1 and 2.2). */
export function drawsOf(request: ApiRequest): Draw[] {
  const { method, path } = request;
  if (/^\/api\/v2\/(user_profiles|users\/\d+\/(events|profiles))(\/|$)/.test(path)) return [sunshine];
  return [account, ...(method === "GET" ? exportDraws(path) : writeDraws(request))];
}

function exportDraws(path: string): Draw[] {
  if (!path.startsWith("/api/v2/incremental/")) return [];
  const isUsers = path === "/api/v2/incremental/users/cursor";
  const header = `zendesk-ratelimit-incremental-exports${isUsers ? "-cursor" : ""}`;
  return [{ bucket: isUsers ? "usersCursor" : "incremental", header, refusal: exported }];
}

function writeDraws(request: ApiRequest): Draw[] {
  const [, rows = "", id = ""] = /^\/api\/v2\/(users|organizations|tickets)\/([^/]+)$/.exec(request.path) ?? [];
  const ofUser = plain("Rate limit for updating a single unique user exceeded");
  if (request.method === "POST" && rows === "users" && id === "create_or_update") {
    return [
      { bucket: "userUpserts", minutes: 1 / 60, refusal: account.refusal },
      { bucket: "perUser", target: namedIn(request), refusal: ofUser },
    ];
  }
  if (request.method !== "PUT" || !/^\d+$/.test(id)) return [];
  if (rows === "users") return [{ bucket: "perUser", target: id, refusal: ofUser }];
  if (rows === "organizations") {
    const json = { errors: [{ code: "TooManyRequests", title: "Too many requests to update" }] };
    return [{ bucket: "perOrganization", target: id, refusal: () => ({ json }) }];
  }
  return [
    { bucket: "ticketUpdates", header: "zendesk-ratelimit-tickets-update", refusal: account.refusal },
    {
      bucket: "perTicket",
      target: id,
      minutes: 10,
      header: "zendesk-ratelimit-per-ticket-updates",
      refusal: plain("Rate limit for updating a single ticket exceeded"),
    },
  ];
}

/** The user that is meant, before anybody has looked for it. */
function namedIn({ body }: ApiRequest): string {
  try {
    const { user } = JSON.parse(body.toString("utf8")) as { user?: { external_id?: unknown; email?: unknown } };
    return String(user?.external_id ?? user?.email ?? "").toLowerCase();
  } catch {
    return "";
  }
}
