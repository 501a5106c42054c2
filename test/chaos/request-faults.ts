import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { Fault } from "#test/support/zendesk/faults.ts";
import type { ApiRequest } from "#test/support/zendesk/server/request.ts";
import type { Zendesk } from "#test/support/zendesk/start.ts";
import { DAY, HOUR, MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import { type Random, seededRandom } from "#test/support/zendesk/world/random.ts";
import type { ChaosAccount } from "./accounts.ts";
import type { Bustle } from "./bustle.ts";

type Row = Record<string, unknown>;

interface Trouble {
  group: string;
  weight: number;
  fault: Fault;
  /** What else the request has to be. */
  fits?: (request: ApiRequest) => boolean;
}

/** A fault for one request in so many, of whatever group, each account by its own sequence of the seed. */
export class RequestFaults {
  readonly struck = new Map<string, number>();
  share: number;
  private readonly drawn = new WeakMap<ApiRequest, Trouble | null>();
  private readonly randoms = new Map<string, Random>();

  constructor(
    zendesk: Zendesk,
    private readonly troubles: readonly Trouble[],
    private readonly seed: number,
    share: number,
  ) {
    this.share = share;
    for (const trouble of troubles) {
      zendesk.faults.add({ when: (request) => this.drawFor(request) === trouble }, this.counted(trouble));
    }
  }

  /** Answers with a status, or does not answer. */
  private drawFor(request: ApiRequest): Trouble | null {
    const known = this.drawn.get(request);
    if (known !== undefined) return known;
    const trouble = this.draw(request);
    this.drawn.set(request, trouble);
    if (trouble) this.struck.set(trouble.group, (this.struck.get(trouble.group) ?? 0) + 1);
    return trouble;
  }

  private draw(request: ApiRequest): Trouble | null {
    const random = this.randoms.get(request.subdomain) ?? seededRandom(`${this.seed}:requests:${request.subdomain}`);
    this.randoms.set(request.subdomain, random);
    if (!random.chance(this.share)) return null;
    const fitting = this.troubles.filter((trouble) => trouble.fits?.(request) ?? isApi(request));
    return fitting.length === 0 ? null : random.weighted(fitting.map((trouble) => [trouble, trouble.weight] as const));
  }

  private counted({ fault, group }: Trouble): Fault {
    return { ...fault, label: `${group}: ${fault.label}` };
  }
}

const isApi = ({ path }: ApiRequest): boolean => path.startsWith("/api/v2/");
const isExport = ({ path }: ApiRequest): boolean => path.startsWith("/api/v2/incremental/");
const isList = (request: ApiRequest): boolean =>
  isExport(request) || /satisfaction_ratings|survey_responses|groups/.test(request.path);
/** Only these carry an opaque place. */
const carriesPlace = ({ query }: ApiRequest): boolean => query.has("cursor") || query.has("page[after]");
const isRefresh = ({ path, body }: ApiRequest): boolean => path === "/oauth/tokens" && body.includes("refresh_token");

/** Every group of faults of an exchange with Zendesk. `canary` is a host that nothing may ever be sent to. */
export function troublesOf(
  accounts: readonly ChaosAccount[],
  bustles: ReadonlyMap<string, Bustle>,
  canary: string,
): Trouble[] {
  const worldOf = (request: ApiRequest) => accounts.find(({ subdomain }) => subdomain === request.subdomain)?.world;
  const many = (group: string, weight: number, faults: Fault[], fits?: Trouble["fits"]): Trouble[] =>
    faults.map((one) => ({ group, weight: weight / faults.length, fault: one, ...(fits ? { fits } : {}) }));
  return [
    ...many("rate limits", 5, [
      fault.tooManyRequests({ retryAfter: "3", body: "incremental" }),
      fault.tooManyRequests({ retryAfter: "45", body: "account" }),
      fault.tooManyRequests({ retryAfter: "0", body: "account" }),
      fault.tooManyRequests({ retryAfter: "-5", body: "user" }),
      fault.tooManyRequests({ retryAfter: "soon", body: "organization" }),
      fault.tooManyRequests({ retryAfter: "", body: "account" }),
      fault.tooManyRequests({ retryAfter: null, body: "html" }),
      fault.tooManyRequests({ retryAfter: null, body: "account" }),
      dated(90, worldOf),
      dated(-90, worldOf),
    ]),
    ...many("rate limits", 0.15, [fault.tooManyRequests({ retryAfter: "2592000", body: "account" })]),
    ...many("server errors", 5, [
      fault.status(500),
      fault.status(503, {}, { "retry-after": "4" }),
      fault.html(502),
      fault.html(504),
      fault.status(409),
      fault.html(520),
      fault.html(524),
      fault.status(599),
    ]),
    ...many("no page", 4, [
      fault.notAPage("html"),
      fault.notAPage("empty"),
      fault.notAPage("null"),
      fault.notAPage("list"),
      fault.notAPage("error"),
      fault.notAPage("error beside rows"),
      fault.notAPage("no-content"),
    ]),
    ...many("cut answers", 4, [
      fault.truncate(0.5, { framing: "content-length" }),
      fault.truncate(0.7, { gzip: true, framing: "close" }),
      fault.truncate(0.9, { framing: "chunked" }),
      fault.truncate(0.97, { framing: "close" }),
    ]),
    ...many("resets", 3, [fault.reset("accept"), fault.reset("headers"), fault.reset("body")]),
    ...many("hangs", 1.2, [fault.hang(), fault.silenceAfterHeaders(), fault.dribble(3)]),
    ...many(
      "redirects",
      0.8,
      ([301, 302, 307, 308] as const).map((code) => fault.redirect(code, canary)),
    ),
    ...many("foreign addresses", 2, [foreignAddresses(canary)], isList),
    ...many(
      "refused places",
      2,
      [fault.cursorRejected(400), fault.cursorRejected(404), fault.cursorRejected(422)],
      carriesPlace,
    ),
    ...many("ended tokens", 2, [
      fault.inTheMoment("expire", (request) => worldOf(request)?.access.expireAccessTokens()),
    ]),
    ...many("lost refreshes", 6, [cutAfterRotation()], isRefresh),
    ...many(
      "token answers",
      2,
      [fault.status(503), fault.reset("headers"), fault.notAPage("html"), damagedToken()],
      ({ path, body }) => path === "/oauth/tokens" && !body.includes("refresh_token"),
    ),
    ...many("clocks ahead", 2, [
      clockAhead(10 * MINUTE, worldOf),
      clockAhead(2 * HOUR, worldOf),
      clockAhead(7000 * 365 * DAY, worldOf),
    ]),
    ...many("missing flags", 2, [fault.withoutKeys("end_of_stream", "meta")], isList),
    ...many("repeated rows", 3, [fault.repeatsRows(15)], isList),
    ...many("rows twice", 3, [formerVersions("older-first"), formerVersions("older-last")], isExport),
    ...many("empty pages", 2, [fault.emptyPage()], isExport),
    ...many("changes between pages", 6, [
      fault.inTheMoment("the account changes", ({ subdomain }) => bustles.get(subdomain)?.pass(30 * MINUTE, 8)),
    ]),
  ];
}

/** A Retry-After that is a date, by the account's own clock. */
function dated(seconds: number, worldOf: (request: ApiRequest) => { now(): number } | undefined): Fault {
  return fault.answers("429 until a date", (request) => {
    const until = new Date((worldOf(request)?.now() ?? 0) + seconds * SECOND).toUTCString();
    return {
      status: 429,
      headers: { "retry-after": until },
      text: "Number of allowed API requests per minute exceeded",
    };
  });
}

/** A sound answer under the date of another hour (row 47). */
function clockAhead(by: number, worldOf: (request: ApiRequest) => { now(): number } | undefined): Fault {
  return fault.changes("a clock ahead", (answer, request) => {
    const date = new Date((worldOf(request)?.now() ?? 0) + by).toUTCString();
    return { ...answer, headers: { ...answer.headers, date } };
  });
}

/** The account rotates the pair, and nobody hears of it (row 60). */
function cutAfterRotation(): Fault {
  return fault.travels({ kind: "reset", moment: "headers" });
}

/** The token is there, and the answer is no JSON. */
function damagedToken(): Fault {
  return fault.changes("a damaged token", ({ json, ...answer }) => ({
    ...answer,
    text: `${JSON.stringify(json)} …`,
    contentType: "application/json",
  }));
}

/** Every address in the envelope leads elsewhere (rows 24, 108). */
function foreignAddresses(canary: string): Fault {
  return fault.changesBody("addresses elsewhere", (body) => ({
    ...body,
    ...("after_url" in body ? { after_url: `${canary}/api/v2/next` } : {}),
    ...("next_page" in body ? { next_page: `${canary}/api/v2/next` } : {}),
    ...("links" in body ? { links: { next: `${canary}/api/v2/next`, prev: canary } } : {}),
  }));
}

/** One row of the page stands there twice, the second time as an earlier page had it (row 11). */
function formerVersions(order: "older-first" | "older-last"): Fault {
  const former = new Map<string, Row>();
  return fault.changesRows("a former version beside it", (rows, request) => {
    const keyOf = (row: Row) => `${request.subdomain} ${request.path} ${row.id}`;
    const twice = rows.findIndex((row) => former.has(keyOf(row)));
    const older = twice < 0 ? undefined : former.get(keyOf(rows[twice] as Row));
    for (const row of rows) former.set(keyOf(row), row);
    if (!older) return rows;
    const at = order === "older-first" ? twice : twice + 1;
    return [...rows.slice(0, at), older, ...rows.slice(at)];
  });
}
