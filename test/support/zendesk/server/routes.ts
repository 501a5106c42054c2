import type { Id } from "../world/ids.ts";
import type { Answer } from "./answer.ts";
import { invalidEndpoint } from "./answer.ts";
import { authorize, type Caller, type Demands, identify } from "./auth.ts";
import type { EffectKind, Effects } from "./effects.ts";
import { exportRoutes } from "./export-routes.ts";
import { fieldRoutes } from "./field-routes.ts";
import { isGiven } from "./given.ts";
import { jobRoutes } from "./job-routes.ts";
import { listRoutes } from "./list-routes.ts";
import { meRoutes } from "./me-routes.ts";
import { membershipRoutes } from "./membership-routes.ts";
import { organizationRoutes } from "./organization-routes.ts";
import type { AccountRequest } from "./request.ts";
import { satisfactionRoutes } from "./satisfaction-routes.ts";
import { searchRoutes } from "./search-routes.ts";
import { sunshineRoutes } from "./sunshine-routes.ts";
import { tagRoutes } from "./tag-routes.ts";
import { ticketRoutes } from "./ticket-routes.ts";
import { userRoutes } from "./user-routes.ts";
import { webhookRoutes } from "./webhook-routes.ts";

export interface Call {
  request: AccountRequest;
  caller: Caller;
  /** What `{name}` stood for. */
  params: Record<string, string>;
  /** To be called once for each thing that this call changed, or sets off (`by`: `job`). */
  note: Note;
}

export type Note = (kind: EffectKind, id: Id, values: Record<string, unknown>, by?: "job") => void;

/** One endpoint of the API, below `/api/v2`. */
export interface Route {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/tickets/{id}` */
  path: string;
  /** `open` answers whoever asks. */
  demands: Demands | "open";
  /** Newer endpoints know no `.json`. */
  noSuffix?: boolean;
  answer: (call: Call) => Answer;
}

interface CompiledRoute extends Route {
  pattern: RegExp;
}

const routes: CompiledRoute[] = [
  ...meRoutes,
  ...exportRoutes,
  ...satisfactionRoutes,
  // Before the lists, in whose paths an id could be any word.
  ...userRoutes,
  ...organizationRoutes,
  ...membershipRoutes,
  ...ticketRoutes,
  ...tagRoutes,
  ...fieldRoutes,
  ...jobRoutes,
  ...sunshineRoutes,
  ...searchRoutes,
  ...listRoutes,
  ...webhookRoutes,
].map((route) => ({
  ...route,
  pattern: new RegExp(`^/api/v2${route.path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
}));

/** Finds the endpoint, checks who is asking, answers. Unknown paths are `InvalidEndpoint`. */
export function answerApi(request: AccountRequest, effects: Effects): Answer {
  for (const route of routes) {
    if (route.method !== request.method || (route.noSuffix && request.hadSuffix)) continue;
    const match = route.pattern.exec(request.path);
    if (match === null) continue;
    const caller = identify(request);
    if (route.demands !== "open") authorize(request.world, caller, route.demands);
    return route.answer({ request, caller, params: { ...match.groups }, note: noterOf(request, caller, effects) });
  }
  throw invalidEndpoint();
}

function noterOf(request: AccountRequest, caller: Caller, effects: Effects): Note {
  const { world, subdomain, requestId, headers } = request;
  const idempotencyKey = headers["idempotency-key"];
  return (kind, id, values, by) => {
    const messageId = messageIdIn(values.properties);
    effects.add({
      at: Date.now(),
      worldAt: world.now(),
      subdomain,
      kind,
      id,
      values,
      ...(typeof idempotencyKey === "string" && { idempotencyKey }),
      ...(messageId !== undefined && { messageId }),
      by: by ?? caller.user?.id ?? "",
      requestId,
    });
  };
}

function messageIdIn(properties: unknown): string | undefined {
  if (!isGiven(properties)) return undefined;
  const id = properties.message_id ?? properties.messageId;
  return typeof id === "string" ? id : undefined;
}
