import { createRequire } from "node:module";
import { NextRequest } from "next/server";
import { expect, test, vi } from "vitest";
import { GET as authGet, POST as authPost } from "#app/api/auth/[...nextauth]/route.ts";
import { GET as getSession } from "#app/api/v1/session/route.ts";
import { hashPassword } from "#lib/auth/passwords.ts";
import { forgetEndedSessions } from "#lib/auth/store/sessions.ts";
import { apiOrigin, useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";

/** The request that is being served, as the framework hands it to the sign-in library. */
let served = new NextRequest(apiOrigin);
const framework = createRequire(import.meta.url)("next/headers");
vi.spyOn(framework, "headers").mockImplementation(async () => served.headers);
vi.spyOn(framework, "cookies").mockImplementation(async () => served.cookies);

const database = useDatabase();
const api = useApi(database, { PUBLIC_URL: apiOrigin });
process.env.NEXTAUTH_URL = apiOrigin;

/** A browser: keeps its cookies and sends them. */
class Browser {
  readonly cookies = new Map<string, string>();

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async call(step: string, form?: Record<string, string>): Promise<Response> {
    served = new NextRequest(`${apiOrigin}/api/auth/${step}`, {
      method: form ? "POST" : "GET",
      headers: { cookie: this.cookie, host: new URL(apiOrigin).host, origin: apiOrigin, "content-type": formType },
      ...(form && { body: new URLSearchParams(form) }),
    });
    const route = form ? authPost : authGet;
    const answer = await route(served, { params: Promise.resolve({ nextauth: step.split("/") }) });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  async post(step: string, form: Record<string, string> = {}): Promise<void> {
    const { csrfToken } = (await (await this.call("csrf")).json()) as { csrfToken: string };
    const answer = await this.call(step, { ...form, csrfToken, json: "true" });
    expect(answer.status).toBe(200);
  }
}

const formType = "application/x-www-form-urlencoded";
const statusOf = async (cookie: string) => (await api.call(getSession, "/api/v1/session", { cookie })).status;

test("signing out ends this sign-in, also for whoever kept a copy of its cookie, and leaves the person's others", async () => {
  const workspace = await database.workspace();
  const person = { email: "ann@example.com", password: "correct horse battery" };
  await database.db
    .insertInto("app_user")
    .values({
      workspace_id: workspace,
      email: person.email,
      name: null,
      role: "viewer",
      password_hash: await hashPassword(person.password),
      created_at: new Date(),
    })
    .execute();
  const [here, elsewhere] = [new Browser(), new Browser()];
  for (const browser of [here, elsewhere]) {
    await browser.post("callback/credentials", person);
    expect(await statusOf(browser.cookie)).toBe(200);
  }
  await here.call("session"); // the token is written anew, and stays the same sign-in
  const copy = here.cookie;
  expect(await statusOf(copy)).toBe(200);
  await here.post("signout");
  expect(here.cookie).not.toContain("bellwether-session");
  expect(await statusOf(copy)).toBe(401);
  expect(await statusOf(elsewhere.cookie)).toBe(200);
  // Whoever has the copy cannot have it written anew, to outlive the record of its end.
  const thief = new Browser();
  for (const [, name = "", value = ""] of copy.matchAll(/([^=; ]+)=([^;]*)/g)) thief.cookies.set(name, value);
  await thief.call("session");

  const ended = () => database.db.selectFrom("ended_session").select("id").execute();
  await forgetEndedSessions(database.db, workspace, new Date(Date.now() + 11 * 3_600_000));
  expect(await ended()).toHaveLength(1);
  await forgetEndedSessions(database.db, workspace, new Date(Date.now() + 13 * 3_600_000));
  expect(await ended()).toEqual([]);
  expect(await statusOf(thief.cookie)).toBe(401);
});
