import { afterEach, beforeEach } from "vitest";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { basic, clientOf, type TestAnswer, type TestClient } from "./client.ts";

/** Writes to an account with the administrator's API token; `path` is below `/api/v2`, `headers` come on top. */
export type Write = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<TestAnswer>;

/** A new account for each test of the file that imports these, who reads in it and who writes. */
export let world: World;
export let zendesk: Zendesk;
export let client: TestClient;
export let write: Write;

beforeEach(async () => {
  world = new World();
  zendesk = await startZendesk({ worlds: [world] });
  client = clientOf(zendesk);
  write = writerOf(zendesk);
});
afterEach(() => zendesk.close());

export function writerOf(zendesk: Zendesk): Write {
  const { email, token } = zendesk.world().credentials;
  return (method, path, body, headers) =>
    clientOf(zendesk).send(method, `/api/v2${path}`, body, { ...basic(email, token), ...headers });
}

/** The object, or the list, under a key of the answer. */
export function partOf<Part = Record<string, unknown>>(answer: TestAnswer, key: string): Part {
  return (answer.json as unknown as Record<string, Part>)[key] as Part;
}

/** Why the fields of a row were refused. */
export function details(answer: TestAnswer): Record<string, { description: string; error?: string }[]> {
  return partOf(answer, "details");
}

/** The kinds of what happened, in order. */
export function kindsOf(zendesk: Zendesk): string[] {
  return zendesk.effects.entries.map(({ kind }) => kind);
}
