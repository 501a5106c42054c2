import { compareIds } from "../world/ids.ts";
import type { Ticket } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { type Answer, listedRefusal, refusal } from "./answer.ts";
import { listAnswer } from "./lists.ts";
import type { Call, Route } from "./routes.ts";
import { row } from "./ticket-writes.ts";

const deepest = 1000;

/** The search for tickets (zendesk-api sections 4.1 and 8.8): archived ones, too, and not yet the newest. */
export const searchRoutes: Route[] = [{ method: "GET", path: "/search", demands: { scope: "search" }, answer: search }];

function search(call: Call): Answer {
  const { query, world } = call.request;
  if (query.has("page[size]")) throw listedRefusal(400, "InvalidPaginationParameter", "page[size] is not supported");
  if (Number(query.get("page") ?? 1) * Number(query.get("per_page") ?? 100) > deepest)
    throw refusal(422, "Invalid Search", `Requested response size was greater than Search Response Limits`);
  const rows = ticketsThat(world, query.get("query") ?? "");
  return listAnswer(call.request, {
    key: "results",
    rows,
    positionOf: ({ id }) => id,
    compare: compareIds,
    write: (ticket) => ({ ...row(call, ticket), result_type: "ticket" }),
  });
}

/** `type:ticket`, and `external_id:` with some of its words. */
function ticketsThat(world: World, query: string): Ticket[] {
  const [, quoted, bare] = /\bexternal_id:(?:"([^"]*)"|(\S+))/.exec(query) ?? [];
  const words = wordsOf(quoted ?? bare ?? "");
  if (!/\btype:ticket\b/.test(query) || words === "") return [];
  return [...world.tickets.byId.values()]
    .filter(({ deleted, updatedAt }) => !deleted && updatedAt + world.settings.searchLag <= world.now())
    .filter(({ externalId }) => externalId !== null && ` ${wordsOf(externalId)} `.includes(` ${words} `))
    .sort((left, right) => compareIds(left.id, right.id));
}

function wordsOf(text: string): string {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .join(" ");
}
