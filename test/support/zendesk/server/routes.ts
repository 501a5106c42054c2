import type { Answer } from "./answer.ts";
import { invalidEndpoint } from "./answer.ts";
import { authorize, type Caller, type Demands, identify } from "./auth.ts";
import { exportRoutes } from "./export-routes.ts";
import { listRoutes } from "./list-routes.ts";
import { meRoutes } from "./me-routes.ts";
import type { AccountRequest } from "./request.ts";
import { satisfactionRoutes } from "./satisfaction-routes.ts";
import { webhookRoutes } from "./webhook-routes.ts";

export interface Call {
  request: AccountRequest;
  caller: Caller;
  /** What `{name}` stood for. */
  params: Record<string, string>;
}

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
  ...listRoutes,
  ...webhookRoutes,
].map((route) => ({
  ...route,
  pattern: new RegExp(`^/api/v2${route.path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
}));

/** Finds the endpoint, checks who is asking, answers. Unknown paths are `InvalidEndpoint`. */
export function answerApi(request: AccountRequest): Answer {
  for (const route of routes) {
    if (route.method !== request.method || (route.noSuffix && request.hadSuffix)) continue;
    const match = route.pattern.exec(request.path);
    if (match === null) continue;
    const caller = identify(request);
    if (route.demands !== "open") authorize(request.world, caller, route.demands);
    return route.answer({ request, caller, params: { ...match.groups } });
  }
  throw invalidEndpoint();
}
