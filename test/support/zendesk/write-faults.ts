import { answers, changes, notAPage, status, tooManyRequests, travels } from "./fault-kinds.ts";
import type { ActiveFault, Fault, Faults, Match } from "./faults.ts";
import { htmlPage } from "./server/answer.ts";
import type { ApiRequest } from "./server/request.ts";
import { seededRandom } from "./world/random.ts";

/** How an answer can be missing. */
export type Lost = "timeout" | "reset" | "cut" | "408" | "502" | "503" | "503 told" | "504" | "html" | "empty";

/** The account does what was asked for, and nobody is told: the effect stands, the answer is lost. */
export function commitsThen(lost: Lost): Fault {
  return { ...lossOf(lost), label: `commits, then ${lost}` };
}

/** The same to see, and nothing was done. */
export function losesRequest(lost: Lost): Fault {
  const { effects } = lossOf(lost);
  const nothing = answers("", { status: 502, json: { error: "BadGateway", description: "x".repeat(200) } }).effects;
  return { label: `does nothing, then ${lost}`, effects: [...nothing, ...effects] };
}

function lossOf(lost: Lost): Fault {
  switch (lost) {
    case "timeout":
      return travels({ kind: "hang" });
    case "reset":
      return travels({ kind: "reset", moment: "accept" });
    case "cut":
      return travels({ kind: "truncate", at: 0.5 });
    case "408":
    case "502":
    case "503":
    case "504":
      return changes(lost, () => htmlPage(Number(lost), "Bad gateway"));
    case "503 told":
      return changes(lost, () => ({ ...htmlPage(503, "Busy"), headers: { "retry-after": "1" } }));
    case "html":
      return changes(lost, () => htmlPage(200, "Down for maintenance"));
    case "empty":
      return changes(lost, () => ({ status: 200, text: "", contentType: "application/json" }));
  }
}

/** Success, with other values than those that were sent (row 97). The account is not asked. */
export function answersOther(key: string, row: Record<string, unknown>): Fault {
  return answers("other values", { status: 200, json: { [key]: row } });
}

/** Somebody else holds the row. Nothing was done. */
export function conflict(): Fault {
  return status(409, { error: "UpdateConflict", description: "The record was changed by another request." });
}

/** Everything that can come between a writer and its answer, in one hand. */
export const calamities = {
  "commits, then reset": commitsThen("reset"),
  "commits, then cut": commitsThen("cut"),
  "commits, then 408": commitsThen("408"),
  "commits, then 502": commitsThen("502"),
  "commits, then 503": commitsThen("503"),
  "commits, then 503 for a second": commitsThen("503 told"),
  "commits, then html": commitsThen("html"),
  "commits, then empty": commitsThen("empty"),
  "commits, then timeout": commitsThen("timeout"),
  "does nothing, then reset": losesRequest("reset"),
  "does nothing, then 502": losesRequest("502"),
  "does nothing, then timeout": losesRequest("timeout"),
  conflict: conflict(),
  "too many requests": tooManyRequests({ retryAfter: "1" }),
  unavailable: status(503, { error: "ServiceUnavailable" }),
  "unavailable for a second": status(503, { error: "ServiceUnavailable" }, { "retry-after": "1" }),
  "page of HTML": notAPage("html"),
} as const satisfies Record<string, Fault>;

export type Calamity = keyof typeof calamities;

export interface Storm {
  seed?: number;
  /** The part of the requests that something happens to. Default 0.3. */
  share?: number;
  /** Default: all but time-outs, which take as long as the client's patience. */
  kinds?: readonly Calamity[];
  /** Default: every write to the API. */
  match?: Match;
}

const writes = /^(POST|PUT|PATCH|DELETE)$/;

/** From now on a share of the writes meets with one of the kinds, seeded; at most one on each request. */
export function storm(faults: Faults, options: Storm = {}): ActiveFault {
  const { seed = 1, share = 0.3, match = {} } = options;
  const kinds = options.kinds ?? (Object.keys(calamities) as Calamity[]).filter((kind) => !kind.endsWith("timeout"));
  const random = seededRandom(seed);
  const drawn = new WeakMap<ApiRequest, Calamity | null>();
  const draw = (request: ApiRequest): Calamity | null => {
    const known = drawn.get(request);
    if (known !== undefined) return known;
    const kind = random.chance(share) ? (kinds[random.between(0, kinds.length - 1)] ?? null) : null;
    drawn.set(request, kind);
    return kind;
  };
  const { when = () => true, ...rest } = match;
  const active = kinds.map((kind) =>
    faults.add(
      {
        path: "/api/v2/",
        ...rest,
        when: (request) =>
          (match.method !== undefined || writes.test(request.method)) && when(request) && draw(request) === kind,
      },
      calamities[kind],
    ),
  );
  return {
    label: "storm",
    get strikes() {
      return active.reduce((sum, one) => sum + one.strikes, 0);
    },
    remove: () => {
      for (const one of active) one.remove();
    },
  };
}
