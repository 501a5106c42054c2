import * as kinds from "../fault-kinds.ts";
import type { ActiveFault, Fault, Faults, Frequency, Match } from "../faults.ts";
import type { World } from "../world/world.ts";
import * as writes from "../write-faults.ts";
import { type Answer, ok, Refusal, refusal } from "./answer.ts";
import type { Effects } from "./effects.ts";
import type { Journal } from "./journal.ts";
import type { ApiRequest } from "./request.ts";

type ControlRequest = Omit<ApiRequest, "page">;

/** Faults that can be described in JSON: name and arguments of a function of `fault-kinds.ts`. */
const namedFaults = {
  tooManyRequests: kinds.tooManyRequests,
  status: kinds.status,
  html: kinds.html,
  forbidden: kinds.forbidden,
  unauthorized: kinds.unauthorized,
  notAPage: kinds.notAPage,
  redirect: kinds.redirect,
  hang: kinds.hang,
  silenceAfterHeaders: kinds.silenceAfterHeaders,
  reset: kinds.reset,
  slow: kinds.slow,
  dribble: kinds.dribble,
  truncate: kinds.truncate,
  tooHeavy: kinds.tooHeavy,
  cursorRejected: kinds.cursorRejected,
  withoutKeys: kinds.withoutKeys,
  emptyPage: kinds.emptyPage,
  repeatsRows: kinds.repeatsRows,
  commitsThen: writes.commitsThen,
  losesRequest: writes.losesRequest,
  answersOther: writes.answersOther,
  conflict: writes.conflict,
} as const;

/** What may be called on a world from outside: `tickets.update`, `settings`, … */
const mutableParts = ["tickets", "organizations", "users", "ratings", "definitions", "access"] as const;

/**
 * Moves worlds and faults from another process, below `/_stand-in`:
 * - `GET /worlds`
 * - `POST /worlds/{subdomain}/clock` `{advance: milliseconds}` or `{to: ISO}`
 * - `POST /worlds/{subdomain}/settings` with the settings to change
 * - `POST /worlds/{subdomain}/call` `{call: "tickets.update", arguments: ["1", {"status": "solved"}], at?: ISO}`
 * - `GET /worlds/{subdomain}/tickets/{id}`
 * - `POST /faults` `{fault: "status", arguments: [503], match: {path, page, …}, frequency: {times}}` → `{id}`
 * - `DELETE /faults`, `DELETE /faults/{id}`
 * - `GET /journal?path=&subdomain=`, `DELETE /journal`
 * - `GET /effects?kind=&subdomain=`, `DELETE /effects`: what writes have done
 */
export class Control {
  private readonly active = new Map<string, ActiveFault>();
  private added = 0;

  constructor(
    private readonly worlds: ReadonlyMap<string, World>,
    private readonly faults: Faults,
    private readonly journal: Journal,
    private readonly effects: Effects,
  ) {}

  answer(request: ControlRequest): Answer {
    try {
      return this.route(request);
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      return { status: 422, json: { error: error instanceof Error ? error.message : String(error) } };
    }
  }

  private route(request: ControlRequest): Answer {
    const [resource, name, part, id] = request.path.split("/").slice(1);
    const key = `${request.method} ${resource ?? ""}`;
    if (key === "GET worlds" && name === undefined) return ok({ worlds: [...this.worlds.keys()] });
    if (resource === "worlds") return this.onWorld(this.worldCalled(name ?? ""), request, part ?? "", id);
    if (key === "POST faults") return this.addFault(jsonOf(request));
    if (key === "DELETE faults") return this.removeFaults(name);
    if (key === "GET journal") return this.readJournal(request.query);
    if (key === "DELETE journal") {
      this.journal.clear();
      return ok({});
    }
    if (key === "GET effects") return this.readEffects(request.query);
    if (key === "DELETE effects") {
      this.effects.clear();
      return ok({});
    }
    throw refusal(404, "InvalidEndpoint", "The stand-in has no such control");
  }

  private onWorld(world: World, request: ControlRequest, part: string, id: string | undefined): Answer {
    world.catchUp();
    if (request.method === "GET" && part === "tickets") return ok(plain(world.tickets.existing(id ?? "")));
    const body = jsonOf(request);
    if (part === "clock") {
      if (typeof body.to === "string") world.advanceTo(body.to);
      else world.advance(Number(body.advance ?? 0));
      return ok({ now: new Date(world.now()).toISOString() });
    }
    if (part === "settings") return ok(Object.assign(world.settings, body));
    if (part === "call") return ok({ result: plain(callOn(world, body)) });
    throw refusal(404, "InvalidEndpoint", "The stand-in has no such control");
  }

  private addFault(body: Record<string, unknown>): Answer {
    const make = namedFaults[body.fault as keyof typeof namedFaults] as ((...list: unknown[]) => Fault) | undefined;
    if (make === undefined) throw refusal(422, "InvalidValue", `Faults: ${Object.keys(namedFaults).join(", ")}`);
    const fault = make(...((body.arguments ?? []) as unknown[]));
    const id = String(++this.added);
    this.active.set(id, this.faults.add((body.match ?? {}) as Match, fault, body.frequency as Frequency | undefined));
    return { status: 201, json: { id } };
  }

  private removeFaults(id: string | undefined): Answer {
    if (id === undefined) this.faults.clear();
    else this.active.get(id)?.remove();
    return ok({});
  }

  private readJournal(query: URLSearchParams): Answer {
    return ok({ entries: this.journal.to(query.get("path") ?? "", query.get("subdomain") ?? undefined) });
  }

  private readEffects(query: URLSearchParams): Answer {
    const kind = query.get("kind");
    const subdomain = query.get("subdomain") ?? undefined;
    const entries = kind === null ? this.effects.entries : this.effects.of(kind, subdomain);
    return ok({ entries: entries.filter((one) => subdomain === undefined || one.subdomain === subdomain) });
  }

  private worldCalled(subdomain: string): World {
    const world = this.worlds.get(subdomain);
    if (world === undefined) throw refusal(404, "RecordNotFound", `No account ${subdomain}`);
    return world;
  }
}

function callOn(world: World, body: Record<string, unknown>): unknown {
  const [partName = "", method = ""] = String(body.call ?? "").split(".");
  const part = mutableParts.find((candidate) => candidate === partName);
  const target = part === undefined ? undefined : (world[part] as unknown as Record<string, unknown>);
  const action = target?.[method];
  if (typeof action !== "function") throw refusal(422, "InvalidValue", `Nothing to call: ${String(body.call)}`);
  const run = (): unknown => action.apply(target, (body.arguments ?? []) as unknown[]) as unknown;
  return typeof body.at === "string" ? world.at(body.at, run) : run();
}

function jsonOf(request: ControlRequest): Record<string, unknown> {
  return request.body.length === 0 ? {} : (JSON.parse(request.body.toString("utf8")) as Record<string, unknown>);
}

/** Rows hold maps, which JSON would write as nothing. */
function plain(value: unknown): unknown {
  if (value === undefined) return null;
  const text = JSON.stringify(value, (_key, part: unknown) => (part instanceof Map ? Object.fromEntries(part) : part));
  return JSON.parse(text) as unknown;
}
