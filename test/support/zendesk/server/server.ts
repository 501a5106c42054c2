import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Fault, Faults, Transport } from "../faults.ts";
import type { World } from "../world/world.ts";
import { answerAgentPage } from "./agent-pages.ts";
import { type Answer, htmlPage, invalidEndpoint, Refusal } from "./answer.ts";
import type { Control } from "./control.ts";
import type { Effects } from "./effects.ts";
import { authorizationKind, type Journal, type JournalEntry } from "./journal.ts";
import type { RateLimits } from "./limits.ts";
import { answerOAuth } from "./oauth.ts";
import { type ApiRequest, pageToken, readAddress, readBody } from "./request.ts";
import { answerApi } from "./routes.ts";
import { send } from "./send.ts";

export interface Service {
  worlds: Map<string, World>;
  faults: Faults;
  journal: Journal;
  effects: Effects;
  limits: RateLimits | null;
  control: Control | null;
}

/** An HTTP server for many accounts: `/{subdomain}/api/v2/…` and `/{subdomain}/oauth/…`. */
export class ZendeskServer {
  readonly http: Server;
  /** Page numbers by what the request for that page will carry. */
  private readonly pages = new Map<string, number>();
  private origin = "";

  constructor(private readonly service: Service) {
    this.http = createServer((message, response) => {
      this.receive(message, response).catch((error: unknown) => fail(response, error));
    });
    this.http.keepAliveTimeout = 30_000;
  }

  /** Listens on loopback; port 0 takes a free one. Answers `http://127.0.0.1:PORT`. */
  async listen(port: number, host = "127.0.0.1"): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.http.once("error", reject);
      this.http.listen(port, host, resolve);
    });
    const address = this.http.address() as AddressInfo;
    this.origin = `http://${host}:${address.port}`;
    return this.origin;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    this.http.closeAllConnections();
    await closed;
  }

  private async receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(message);
    const address = readAddress(message, this.origin);
    if (address === null) return send(response, htmlPage(404, "Not found"), {}, []);
    if (address.subdomain === "_stand-in") {
      const answer = this.service.control?.answer({ ...address, body }) ?? htmlPage(404, "Not found");
      return send(response, await answer, {}, []);
    }
    const request: ApiRequest = { ...address, body, page: this.pageOf(address.subdomain, address.path, address.query) };
    await this.serve(request, response);
  }

  private async serve(request: ApiRequest, response: ServerResponse): Promise<void> {
    this.service.worlds.get(request.subdomain)?.catchUp();
    const entry = this.record(request);
    const faults = this.service.faults.strike(request);
    entry.faults = faults.map((fault) => fault.label);
    for (const effect of effects(faults, "before")) await effect.run(request);

    // Read again: the account behind the subdomain may just have been exchanged.
    const world = this.service.worlds.get(request.subdomain);
    entry.worldAt = world?.now() ?? null;
    const isCounted = world !== undefined && !isAgentPage(request);
    const limit = isCounted ? this.service.limits?.take(request) : undefined;
    let answer = this.injected(faults, request) ?? limit?.refused ?? answerFor(world, request, this.service.effects);
    for (const effect of effects(faults, "change")) answer = effect.change(answer, request);
    this.rememberPage(request, answer);
    for (const effect of effects(faults, "after")) await effect.run(request, answer);

    const transports = effects(faults, "transport").map((effect) => effect.transport);
    if (answers(transports)) entry.status = answer.status;
    await send(response, answer, { ...standardHeaders(world, request), ...limit?.headers }, transports);
  }

  private injected(faults: Fault[], request: ApiRequest): Answer | undefined {
    const effect = effects(faults, "answer")[0];
    return typeof effect?.answer === "function" ? effect.answer(request) : effect?.answer;
  }

  private record(request: ApiRequest): JournalEntry {
    const { authorization, ...headers } = request.headers;
    const entry: JournalEntry = {
      at: Date.now(),
      worldAt: null,
      method: request.method,
      subdomain: request.subdomain,
      requestId: request.requestId,
      path: request.path,
      query: Object.fromEntries(request.query),
      headers,
      authorization: authorizationKind(authorization),
      body: request.body.toString("utf8"),
      page: request.page,
      status: null,
      faults: [],
    };
    this.service.journal.add(entry);
    return entry;
  }

  private pageOf(subdomain: string, path: string, query: URLSearchParams): number {
    const token = pageToken(query);
    return token === null ? 1 : (this.pages.get(`${subdomain}${path}?${token}`) ?? 1);
  }

  /** The page after this one; what follows the end of a list is the first page of the next walk. */
  private rememberPage(request: ApiRequest, answer: Answer): void {
    if (answer.page === undefined) return;
    const { next, last } = answer.page;
    this.pages.set(`${request.subdomain}${request.path}?${next}`, last ? 1 : request.page + 1);
  }
}

function isAgentPage({ path }: ApiRequest): boolean {
  return path.startsWith("/agent/");
}

/** What the account itself answers. Outside `/api` and `/oauth` there are only pages for people. */
function answerFor(world: World | undefined, request: ApiRequest, effects: Effects): Answer {
  if (world === undefined) return htmlPage(404, "No help desk at this address");
  try {
    if (isAgentPage(request)) return answerAgentPage({ ...request, world });
    if (request.path.startsWith("/oauth/")) return answerOAuth({ ...request, world });
    if (request.path.startsWith("/api/v2/")) return answerApi({ ...request, world }, effects);
    throw request.path.startsWith("/api/") ? invalidEndpoint() : new Refusal(htmlPage(404, "Page not found"));
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

function effects<Kind extends Fault["effects"][number]["kind"]>(
  faults: readonly Fault[],
  kind: Kind,
): Extract<Fault["effects"][number], { kind: Kind }>[] {
  return faults
    .flatMap((fault) => fault.effects)
    .filter((effect): effect is Extract<Fault["effects"][number], { kind: Kind }> => effect.kind === kind);
}

function answers(transports: readonly Transport[]): boolean {
  return !transports.some(
    ({ kind, ...rest }) => kind === "hang" || (kind === "reset" && "moment" in rest && rest.moment === "accept"),
  );
}

function standardHeaders(world: World | undefined, request: ApiRequest): Record<string, string> {
  return {
    date: new Date(world?.now() ?? Date.now()).toUTCString(),
    "x-request-id": request.requestId,
    "x-zendesk-api-version": "v2",
    "cache-control": "max-age=0, private, must-revalidate",
  };
}

function fail(response: ServerResponse, error: unknown): void {
  console.error(error);
  if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
  response.end(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
