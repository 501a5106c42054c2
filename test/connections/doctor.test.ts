import { describe, expect, test } from "vitest";
import { POST as disconnect } from "#app/api/v1/connections/[id]/disconnect/route.ts";
import { POST as examine, GET as report } from "#app/api/v1/connections/[id]/doctor/route.ts";
import { GET as getOne, PATCH as patch } from "#app/api/v1/connections/[id]/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { runDoctor } from "#lib/connections/doctor.ts";
import { checkClocks } from "#lib/connections/doctor-checks/clocks.ts";
import { checkDatabase } from "#lib/connections/doctor-checks/database.ts";
import type { Visit } from "#lib/connections/doctor-checks/finding.ts";
import { judgeScopes } from "#lib/connections/doctor-checks/granted-access.ts";
import type { DoctorReport } from "#lib/connections/shapes.ts";
import { readStanding } from "#lib/reports/freshness.ts";
import { byToken, type Connected, type ConnectOptions, useGround } from "#test/connections/ground.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { World } from "#test/support/zendesk/world/world.ts";

const ground = useGround();
const { api, database, connect, connectQueued, settled } = ground;

/** A connection whose first run is over. */
async function read(subdomain: string, options: ConnectOptions = {}): Promise<Connected> {
  const connected = await connect(subdomain, options);
  await settled(connected);
  return connected;
}
async function examined(connected: Connected): Promise<DoctorReport> {
  return (await api.call(examine, `${connected.path}/doctor`, connected)).body;
}
function finding(of: DoctorReport, key: string) {
  const found = of.checks.find((check) => check.key === key);
  if (!found) throw new Error(`The report says nothing of ${key}.`);
  return found;
}
const column = (connected: Connected, change: Record<string, unknown>) =>
  database.inWorkspace(connected.workspace, (trx) =>
    trx.updateTable("connection").set(change).where("id", "=", Number(connected.id)).execute(),
  );
const asked = (connected: Connected) => ground.zendesk.journal.to("/", connected.world.subdomain).length;
const streamKeys = [
  "tickets",
  "ticket_events",
  "users",
  "organizations",
  "groups",
  "satisfaction_ratings",
  "fields",
].map((name) => `stream:${name}`);
const liveKeys = ["address", "login", "credentials", "scopes", ...streamKeys, "csat"];

describe("the connection doctor", () => {
  test("runs every check of a sound connection, and gives the same report again without asking anybody", async () => {
    const connected = await read("well");
    const before = await api.call(report, `${connected.path}/doctor`, connected);
    expect(before.body).toEqual({ checkedAt: null, checks: [] });

    const found = await examined(connected);
    expect(found.checks.map(({ key }) => key)).toEqual([
      ...liveKeys,
      "rate_limits",
      "webhook",
      "clock",
      "schedule",
      "database",
      "mail",
    ]);
    for (const key of [...liveKeys, "schedule"])
      expect(finding(found, key)).toMatchObject({ state: "ok", action: null });
    expect(finding(found, "login").found).toContain("admin@well.example");
    expect(finding(found, "credentials").found).toMatch(/fresh access token.*good until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    expect(finding(found, "scopes").found).toContain("Granted: read.");
    expect(finding(found, "stream:tickets").found).toMatch(/^May be read\. Fresh through 2026-02-11 08:58 UTC\.$/);
    expect(finding(found, "csat").found).toContain("Legacy");
    // What is read later must be true then, too.
    for (const check of found.checks)
      expect(check.found).not.toMatch(/\d (second|minute|hour|day)s? ago|, in \d+ |just now/);

    const requests = asked(connected);
    const viewer = { key: await api.key(connected.workspace, "viewer") };
    expect((await api.call(report, `${connected.path}/doctor`, viewer)).body).toEqual(found);
    expect(asked(connected)).toBe(requests);
    expect((await api.call(examine, `${connected.path}/doctor`, viewer)).status).toBe(403);
  });

  test("belongs to one workspace: another one's administrator finds no such connection", async () => {
    const connected = await connect("walled");
    const stranger = { key: await api.key(await database.workspace()) };
    expect((await api.call(examine, `${connected.path}/doctor`, stranger)).status).toBe(404);
    expect((await api.call(report, `${connected.path}/doctor`, stranger)).status).toBe(404);
  });

  test("asks one cheap question a stream, of one row, and changes nothing in Zendesk", async () => {
    const connected = await read("thrifty");
    ground.zendesk.journal.clear();
    await examined(connected);
    const entries = ground.zendesk.journal.to("/api/v2/", "thrifty");
    expect(entries.map(({ path }) => path).sort()).toEqual(
      [
        "/api/v2/custom_statuses",
        "/api/v2/groups",
        "/api/v2/guide/survey_responses",
        "/api/v2/incremental/organizations",
        "/api/v2/incremental/ticket_events",
        "/api/v2/incremental/tickets/cursor",
        "/api/v2/incremental/users/cursor",
        "/api/v2/oauth/tokens/current",
        "/api/v2/organization_fields",
        "/api/v2/organization_memberships",
        "/api/v2/satisfaction_ratings",
        "/api/v2/ticket_fields",
        "/api/v2/user_fields",
        "/api/v2/users/me",
      ].sort(),
    );
    expect(entries.every(({ method }) => method === "GET")).toBe(true);
    for (const { query, path } of entries.filter(({ path }) => path.includes("/incremental/"))) {
      expect(new URLSearchParams(query as never).get("per_page"), path).toBe("1");
    }
  });

  test("does not know what Zendesk does not answer in time: nothing of it is ok", async () => {
    const connected = await connectQueued("silent");
    const hang = ground.zendesk.faults.add({ subdomain: "silent", path: "/api/v2/" }, fault.hang());
    const scope = { workspaceId: connected.workspace, connectionId: Number(connected.id) };
    const found = await runDoctor(api.context, scope, new Date(), 400);
    const [address, ...others] = liveKeys.map((key) => finding(found, key));
    expect(address).toMatchObject({
      state: "failure",
      found: expect.stringMatching(/ does not answer within 0\.4 seconds\.$/),
      action: expect.stringMatching(/subdomain.*firewall.*status\.zendesk\.com/),
    });
    for (const { key, state, found: words } of others) {
      expect([key, state]).toEqual([key, "unknown"]);
      expect(words).toContain("Not tried: the address does not answer.");
    }
    expect(finding(found, "database").state).not.toBe("unknown");
    hang.remove();
  });

  test("says what to do where the address cannot be reached, and that the rest was not tried because of that", async () => {
    const connected = await connectQueued("cut-off");
    const cut = ground.zendesk.faults.add({ subdomain: "cut-off", path: "/api/v2/" }, fault.reset("accept"));
    const found = await examined(connected);
    expect(finding(found, "address")).toMatchObject({
      state: "failure",
      found: expect.stringContaining("Zendesk cannot be reached at "),
      action: expect.stringMatching(/^(?!.*reading resumes).*firewall.*status\.zendesk\.com/),
    });
    for (const key of liveKeys.slice(1))
      expect(finding(found, key).found).toContain("Not tried: the address does not answer.");
    cut.remove();
  });

  test("does not know what a limit keeps it from asking, and says until when", async () => {
    const connected = await connectQueued("throttled");
    const busy = fault.tooManyRequests({ retryAfter: "40", body: "incremental" });
    const full = ground.zendesk.faults.add({ subdomain: "throttled", path: "/api/v2/incremental/users" }, busy);
    const found = await examined(connected);
    expect(finding(found, "stream:users")).toMatchObject({
      state: "unknown",
      found: expect.stringMatching(/^Not tried: nothing may be sent before \d{4}-/),
    });
    expect(finding(found, "rate_limits")).toMatchObject({
      state: "warning",
      found: expect.stringContaining("asked to send nothing before"),
    });
    full.remove();
  });
});

describe("the address and the login", () => {
  test("that moved are said with the host they point to, and nothing more is asked there or here", async () => {
    const connected = await connectQueued("moved");
    const elsewhere = `${ground.zendesk.url.replace("{subdomain}", "elsewhere")}`;
    ground.account("elsewhere");
    const away = ground.zendesk.faults.add({ subdomain: "moved", path: "/api/v2/" }, fault.redirect(301, elsewhere));
    const before = asked(connected);
    const found = await examined(connected);
    const { host } = new URL(elsewhere);
    const address = finding(found, "address");
    expect(address).toMatchObject({ state: "failure", found: expect.stringContaining(`It points to ${host}.`) });
    expect(address.found).not.toContain("/elsewhere");
    expect(address.action).toContain("reconnect with its new subdomain");
    for (const key of ["credentials", "scopes", "csat"]) expect(finding(found, key).state).toBe("unknown");
    for (const key of streamKeys) expect(finding(found, key).found).toContain("see the address");
    expect(asked(connected)).toBe(before + 1);
    expect(ground.zendesk.journal.to("/", "elsewhere")).toEqual([]);
    away.remove();
  });

  test("that are refused are told apart from an address that does not answer", async () => {
    const connected = await connectQueued("refused", { auth: byToken });
    connected.world.access.apiTokens.clear();
    const found = await examined(connected);
    expect(finding(found, "address").state).toBe("ok");
    expect(finding(found, "login")).toMatchObject({ state: "failure", found: expect.stringContaining("401") });
    expect(finding(found, "stream:tickets").state).toBe("unknown");

    const gone = ground.zendesk.faults.add({ subdomain: "refused", path: "/api/v2/" }, fault.html(404, "No help desk"));
    const closed = await examined(connected);
    expect(finding(closed, "address")).toMatchObject({
      state: "failure",
      found: expect.stringContaining("No Zendesk"),
    });
    expect(finding(closed, "login").state).toBe("unknown");
    gone.remove();
  });

  test("name another account that took the subdomain, and ask nothing more of it", async () => {
    const connected = await connectQueued("claimed", { auth: byToken });
    const login = ground.zendesk.faults.add({ subdomain: "claimed", path: "/api/v2/users/me" }, anotherPerson);
    const before = asked(connected);
    const found = await examined(connected);
    expect(finding(found, "login")).toMatchObject({
      state: "failure",
      found: expect.stringContaining("stranger@example.com, not admin@claimed.example"),
    });
    expect(finding(found, "stream:tickets").state).toBe("unknown");
    expect(asked(connected)).toBe(before + 1);
    login.remove();
  });

  test("of somebody who is no administrator any more say so, and that the role is what keeps a stream back", async () => {
    const connected = await connectQueued("demoted", { auth: byToken });
    connected.world.users.changeRole(connected.world.adminId, "agent");
    const found = await examined(connected);
    expect(finding(found, "login")).toMatchObject({ state: "failure", found: expect.stringContaining("is agent") });
    expect(finding(found, "stream:tickets")).toMatchObject({
      state: "failure",
      found: expect.stringContaining("role is too low"),
    });
  });
});

const eitherSystem = /satisfaction_ratings$|survey_responses$/;
const anotherPerson = fault.changesBody("another person", (body) => ({
  ...body,
  user: { ...(body.user as object), email: "stranger@example.com" },
}));

describe("credentials and scopes", () => {
  test("of an API token name the day of its end", async () => {
    const connected = await connectQueued("by-token", { auth: byToken });
    const scope = { workspaceId: connected.workspace, connectionId: Number(connected.id) };
    const at = async (now: string) => finding(await runDoctor(api.context, scope, new Date(now)), "credentials");
    expect(await at("2027-03-31T00:00:00Z")).toMatchObject({
      state: "warning",
      found: expect.stringContaining("on 2027-04-30. Zendesk deactivates tokens that nobody has used for 30"),
    });
    expect(await at("2027-04-30T00:00:01Z")).toMatchObject({ state: "failure", action: "Reconnect with OAuth." });
  });

  test("of an OAuth client are proved by renewing the token, and fail when the client is gone", async () => {
    const connected = await connectQueued("by-client");
    const { world } = connected;
    const tokens = world.access.tokens.length;
    expect(finding(await examined(connected), "credentials").state).toBe("ok");
    expect(world.access.tokens.length).toBe(tokens + 1);
    world.access.clients.clear();
    expect(finding(await examined(connected), "credentials")).toMatchObject({
      state: "failure",
      found: expect.stringContaining("no access token was given"),
    });
  });

  test("are judged by what the token was granted, against what the connection is for", () => {
    expect(judgeScopes(["read"], "read")).toMatchObject({ state: "ok" });
    expect(judgeScopes(["read", "write"], "read").found).toContain("write is not used");
    expect(judgeScopes(["read", "write"], "read_write")).toMatchObject({ state: "ok" });
    expect(judgeScopes(["read"], "read_write")).toMatchObject({
      state: "warning",
      found: expect.stringContaining("missing for writing: write"),
    });
    expect(judgeScopes(["tickets:read", "users:read"], "read")).toMatchObject({
      state: "failure",
      found: expect.stringContaining("Missing for reading: organizations:read, groups:read"),
    });
    expect(judgeScopes(["write"], "read_write")).toMatchObject({ state: "failure" });
    expect(judgeScopes([], "read").found).toContain("Granted: nothing");
  });

  test("that Zendesk does not tell come from what the token's answer told", async () => {
    const connected = await connectQueued("untold");
    const mute = ground.zendesk.faults.add(
      { subdomain: "untold", path: "/api/v2/oauth" },
      fault.status(404, { error: "x" }),
    );
    expect(finding(await examined(connected), "scopes").found).toBe(
      "Granted (as told when the token was given): read. Enough for reading.",
    );
    mute.remove();
  });

  test("never stand in a report, though Zendesk repeats them", async () => {
    const connected = await connectQueued("echo", { auth: byToken });
    const { token } = connected.world.credentials;
    const echo = fault.status(403, { error: "Forbidden", description: `the token ${token} may not` });
    ground.zendesk.faults.add({ subdomain: "echo", path: "/api/v2/groups" }, echo);
    const found = await examined(connected);
    expect(finding(found, "stream:groups").found).toContain("[secret]");
    expect(JSON.stringify(found)).not.toContain(token);
    ground.zendesk.faults.clear();
  });
});

describe("the streams", () => {
  test.each([
    ["users", "/api/v2/incremental/users", "scope", "A scope is missing"],
    ["groups", "/api/v2/groups", "titled", "the plan does not seem to include it"],
    ["organizations", "/api/v2/incremental/organizations", "listed", "the plan does not seem to include it"],
  ] as const)("%s: a 403 is told by what is missing", async (stream, path, kind, words) => {
    const connected = await read(`forbidden-${stream}`);
    const closed = ground.zendesk.faults.add({ subdomain: `forbidden-${stream}`, path }, fault.forbidden(kind));
    const found = await examined(connected);
    expect(finding(found, `stream:${stream}`)).toMatchObject({
      state: "failure",
      found: expect.stringMatching(new RegExp(`${words}.*Fresh through 2026-02-11`)),
      action: expect.stringMatching(/./),
    });
    for (const other of streamKeys.filter((key) => key !== `stream:${stream}`)) {
      expect(finding(found, other).state, other).toBe("ok");
    }
    closed.remove();
  });

  test("are judged by their age: one that was left behind for two intervals is red and named, without any error", async () => {
    const connected = await read("aged");
    const scope = { workspaceId: connected.workspace, connectionId: Number(connected.id) };
    const later = new Date(Date.now() + 2 * 3_600_000 + 60_000);
    await database.inWorkspace(connected.workspace, (trx) =>
      trx
        .updateTable("stream_state")
        .set({ fresh_through: new Date(connected.world.now() + 2 * 3_600_000) })
        .where("stream", "<>", "users")
        .execute(),
    );
    const found = await runDoctor(api.context, scope, later);
    expect(finding(found, "stream:users")).toMatchObject({
      state: "failure",
      found: expect.stringContaining("longer ago than two sync intervals"),
    });
    expect(finding(found, "stream:tickets").state).toBe("ok");
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.updateTable("stream_state").set({ fresh_through: null }).where("stream", "=", "users").execute(),
    );
    expect(finding(await runDoctor(api.context, scope, later), "stream:users")).toMatchObject({
      state: "failure",
      found: expect.stringMatching(
        /Not read to its end yet\. Nothing was read since .*longer ago than two sync intervals/,
      ),
    });
  });

  test("show the rows that are held", async () => {
    const connected = await connectQueued("holding");
    await database.inWorkspace(connected.workspace, (trx) =>
      trx
        .insertInto("held_row")
        .values({
          workspace_id: connected.workspace,
          connection_id: Number(connected.id),
          stream: "users",
          row_key: "1",
          payload: "{}",
          reason: "it has no id",
          first_held_at: new Date(),
          last_held_at: new Date(),
        })
        .execute(),
    );
    expect(finding(await examined(connected), "stream:users")).toMatchObject({
      state: "warning",
      found: expect.stringContaining("; 1 row held."),
      action: expect.stringContaining("held rows"),
    });
  });

  test.each([
    ["legacy", "Legacy"],
    ["survey", "Surveys"],
    ["none", "None answers"],
  ] as const)("tell which satisfaction system the plan runs: %s", async (satisfaction, words) => {
    const connected = await read(`csat-${satisfaction}`, {
      before: (world) => {
        world.settings.satisfaction = satisfaction;
      },
    });
    const found = await examined(connected);
    expect(finding(found, "csat").found).toContain(words);
    expect(finding(found, "stream:satisfaction_ratings").state).toBe("ok");
    if (satisfaction === "none") {
      expect(finding(found, "stream:satisfaction_ratings").found).toContain("never 0 %");
    }
  });

  test("tell when both satisfaction systems answer", async () => {
    const connected = await read("csat-both", {
      before: (world) => {
        world.settings.legacyEndpoint = 200;
        world.settings.surveyEndpoint = 200;
      },
    });
    expect(finding(await examined(connected), "csat").found).toContain("Both");
  });
});

describe("a part of a stream that is refused", () => {
  const close = (subdomain: string, path: string | RegExp, kind: Parameters<typeof fault.forbidden>[0]) =>
    ground.zendesk.faults.add({ subdomain, path }, fault.forbidden(kind));
  const answersBoth = (world: World) => {
    Object.assign(world.settings, { legacyEndpoint: 200, surveyEndpoint: 200 });
  };

  test.each([
    ["surveys", "/api/v2/guide"],
    ["legacy ratings", "/api/v2/satisfaction_ratings"],
  ])("%s without their scope are no sound ratings, whatever the other system answers", async (which, path) => {
    const subdomain = `unscoped-${which.replace(" ", "-")}`;
    const connected = await read(subdomain, { before: answersBoth });
    const closed = close(subdomain, path, "scope");
    const found = await examined(connected);
    expect(finding(found, "stream:satisfaction_ratings")).toMatchObject({
      state: "failure",
      found: expect.stringContaining("A scope is missing"),
      action: expect.stringContaining("scope"),
    });
    expect(finding(found, "csat")).toMatchObject({
      state: "warning",
      found: expect.stringMatching(new RegExp(`${which}.*scope`, "i")),
    });
    closed.remove();
    close(subdomain, path, "titled");
    const refused = await examined(connected);
    expect(finding(refused, "stream:satisfaction_ratings").state).toBe("failure");
    expect(finding(refused, "csat")).toMatchObject({
      state: "warning",
      found: expect.stringMatching(new RegExp(`${which}.*answered before`, "i")),
    });
    ground.zendesk.faults.clear();
  });

  test("ratings that were read before are not said to be missing from the plan, in the report and in the API", async () => {
    const connected = await read("csat-gone", {
      before: (world) => {
        const { id } = world.tickets.create({ status: "solved" });
        world.ratings.rate(id, "good");
        world.advance(3_600_000);
      },
    });
    close("csat-gone", eitherSystem, "titled");
    const found = await examined(connected);
    expect(finding(found, "stream:satisfaction_ratings")).toMatchObject({
      state: "failure",
      found: expect.stringMatching(/Refused to an administrator.*Fresh through/),
    });
    expect(finding(found, "csat")).toMatchObject({
      state: "warning",
      found: expect.stringContaining("answered before"),
    });
    await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "incremental" } });
    expect(await settled(connected)).toMatchObject({ state: "failed", failure: { code: "forbidden" } });
    const { streams } = (await api.call(getOne, connected.path, connected)).body;
    expect(streams.find(({ name }) => name === "satisfaction_ratings")).toMatchObject({
      state: "failed",
      freshThrough: expect.stringMatching(/^2026-02-11/),
    });
    const { streams: states } = await database.inWorkspace(connected.workspace, (trx) =>
      readStanding(trx, connected.workspace, new Date()),
    );
    const counted = states.freshness([Number(connected.id)]).streams.map(({ name }) => name);
    expect(counted).toContain("satisfaction_ratings");
    expect(states.ratingsReason([Number(connected.id)])).toBeUndefined();
    ground.zendesk.faults.clear();
  });

  test("ratings refused to a lower role are no matter of the plan", async () => {
    const connected = await read("csat-agent", {
      auth: byToken,
      before: (world) => {
        world.settings.satisfaction = "none";
      },
    });
    expect(finding(await examined(connected), "csat").found).toContain("None answers");
    connected.world.users.changeRole(connected.world.adminId, "agent");
    const found = await examined(connected);
    expect(finding(found, "stream:satisfaction_ratings")).toMatchObject({
      state: "failure",
      found: expect.stringContaining("role is too low"),
    });
    expect(finding(found, "csat").state).toBe("unknown");
  });

  test("a system that could not be asked leaves the ratings unknown", async () => {
    const connected = await read("csat-busy", { before: answersBoth });
    const busy = fault.tooManyRequests({ retryAfter: "40" });
    ground.zendesk.faults.add({ subdomain: "csat-busy", path: "/api/v2/guide" }, busy);
    const found = await examined(connected);
    expect(finding(found, "stream:satisfaction_ratings").state).toBe("unknown");
    expect(finding(found, "csat").state).toBe("unknown");
    ground.zendesk.faults.clear();
  });

  test("a list of definitions fails the stream where a run would fail, and is warned of where it is left out", async () => {
    const connected = await read("lists");
    const fields = async () => finding(await examined(connected), "stream:fields");
    close("lists", "/api/v2/custom_statuses", "scope");
    expect(await fields()).toMatchObject({ state: "failure", found: expect.stringContaining("A scope is missing") });
    ground.zendesk.faults.clear();
    close("lists", "/api/v2/ticket_fields", "titled");
    expect(await fields()).toMatchObject({ state: "failure", found: expect.stringContaining("ticket_fields") });
    ground.zendesk.faults.clear();
    close("lists", "/api/v2/user_fields", "titled");
    expect(await fields()).toMatchObject({
      state: "warning",
      found: expect.stringMatching(/^May be read.*Left out, since refused: user fields\.$/),
      action: expect.stringContaining("plan"),
    });
    ground.zendesk.faults.clear();
    const unknown = fault.status(404, { error: "InvalidEndpoint" });
    ground.zendesk.faults.add({ subdomain: "lists", path: "/api/v2/user_fields" }, unknown);
    expect(await fields()).toMatchObject({ state: "ok", found: expect.stringContaining("Left out") });
    ground.zendesk.faults.clear();
  });

  test("the memberships, which the night reads, are warned of beside the users", async () => {
    const connected = await read("members");
    close("members", "/api/v2/organization_memberships", "scope");
    expect(finding(await examined(connected), "stream:users")).toMatchObject({
      state: "warning",
      found: expect.stringMatching(/^May be read, but not the organization memberships: .*Fresh through/),
      action: expect.stringContaining("scope"),
    });
    ground.zendesk.faults.clear();
    const busy = fault.tooManyRequests({ retryAfter: "40" });
    ground.zendesk.faults.add({ subdomain: "members", path: "/api/v2/organization_memberships" }, busy);
    expect(finding(await examined(connected), "stream:users").state).toBe("unknown");
    ground.zendesk.faults.clear();
  });
});

describe("a connection that rests", () => {
  test("is explained and not asked: paused", async () => {
    const connected = await read("resting");
    await api.call(patch, connected.path, { ...connected, body: { pausedUntil: "2030-01-01T09:00:00Z" } });
    const before = asked(connected);
    const found = await examined(connected);
    for (const key of liveKeys) {
      expect(finding(found, key)).toMatchObject({
        state: "unknown",
        found: expect.stringContaining("the connection is paused until 2030-01-01 09:00 UTC."),
      });
    }
    expect(finding(found, "stream:tickets").found).toContain("Fresh through 2026-02-11 08:58 UTC");
    expect(finding(found, "schedule")).toMatchObject({ state: "ok", found: expect.stringContaining("is paused") });
    expect(asked(connected)).toBe(before);
  });

  test("is explained and not asked: disconnected", async () => {
    const connected = await read("unplugged");
    await api.call(disconnect, `${connected.path}/disconnect`, connected);
    const before = asked(connected);
    const found = await examined(connected);
    for (const key of liveKeys) expect(finding(found, key).state).toBe("unknown");
    expect(finding(found, "login").found).toContain("is disconnected and has no login");
    expect(asked(connected)).toBe(before);
  });
});

describe("what surrounds a connection", () => {
  test("the rate budget is told by what we used and what others did", async () => {
    const connected = await connectQueued("budget");
    ground.zendesk.faults.add(
      { subdomain: "budget", path: "/api/v2/" },
      fault.changes("announces a budget", (answer) => ({
        ...answer,
        headers: { ...answer.headers, "ratelimit-limit": "400", "ratelimit-remaining": "60", "ratelimit-reset": "50" },
      })),
    );
    const limits = finding(await examined(connected), "rate_limits");
    expect(limits.found).toMatch(/account: 400 in a window, \d+ used by us, 3\d\d by others, \d+ left until/);
    expect(limits).toMatchObject({ state: "warning", action: expect.stringContaining("Other tools") });
    ground.zendesk.faults.clear();
  });

  test("a schedule is red by its age when nobody keeps it, and only then", async () => {
    const connected = await connectQueued("forgotten");
    await column(connected, { next_sync_at: new Date(Date.now() - 2 * 3_600_000 + 60_000) });
    expect(finding(await examined(connected), "schedule")).toMatchObject({ state: "ok", action: null });
    await column(connected, { next_sync_at: new Date(Date.now() - 3 * 3_600_000) });
    expect(finding(await examined(connected), "schedule")).toMatchObject({
      state: "failure",
      found: expect.stringContaining("Nobody starts it."),
      action: expect.stringContaining("POST /api/cron/sync"),
    });
  });

  test("a schedule is kept while a run goes on, however long, and not by one that nobody executes any more", async () => {
    const hang = ground.zendesk.faults.add({ subdomain: "lasting", path: "/api/v2/incremental/tickets" }, fault.hang());
    const connected = await connect("lasting");
    await ground.requested(connected, "/api/v2/incremental/tickets");
    const scope = { workspaceId: connected.workspace, connectionId: Number(connected.id) };
    const schedule = async () => finding(await runDoctor(api.context, scope, new Date(), 400), "schedule");
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
    await column(connected, { next_sync_at: hoursAgo(4) });
    expect(await schedule()).toMatchObject({
      state: "ok",
      found: expect.stringMatching(/ A run goes on since \d{4}-\d\d-\d\d \d\d:\d\d UTC\. /),
      action: null,
    });
    await database.inWorkspace(connected.workspace, async (trx) => {
      await trx
        .updateTable("connection_lease")
        .set({ holder: "dead", epoch: "999", heartbeat_at: hoursAgo(3) })
        .execute();
      await trx
        .updateTable("stream_state")
        .set({ updated_at: hoursAgo(3) })
        .execute();
    });
    expect(await schedule()).toMatchObject({
      state: "failure",
      found: expect.stringMatching(/ stands still, and nobody goes on with it\. /),
    });
    hang.remove();
  });

  test("the webhook is told by its heartbeat and by what waits to be fetched", async () => {
    const connected = await connectQueued("hooked");
    const key = { workspace_id: connected.workspace, connection_id: Number(connected.id) };
    const now = Date.now();
    const heard = { kind: "events", last_delivery_at: new Date(now - 9 * 60_000), checked_at: new Date(now - 60_000) };
    const hook = (change: object) =>
      database.db
        .insertInto("webhook")
        .values({ ...key, ...change })
        .onConflict((conflict) => conflict.columns(["workspace_id", "connection_id"]).doUpdateSet(change))
        .execute();
    await hook({ ...heard, state: "active" });
    expect(finding(await examined(connected), "webhook")).toMatchObject({
      state: "ok",
      found: expect.stringMatching(/event subscriptions\. Last delivery \d{4}-\d\d-\d\d \d\d:\d\d UTC\..* 0 waiting/),
    });
    const old = new Date(now - 3_600_000);
    const hint = { ...key, subject: "ticket", subject_id: "1", first_at: old, last_at: old };
    await database.inWorkspace(connected.workspace, (trx) => trx.insertInto("webhook_hint").values(hint).execute());
    expect(finding(await examined(connected), "webhook")).toMatchObject({
      state: "warning",
      found: expect.stringMatching(/1 waiting to be fetched\. The oldest since \d{4}-\d\d-\d\d \d\d:\d\d UTC\./),
    });
    const failed = {
      state: "failing",
      failure_message: "Zendesk has deactivated it.",
      failure_action: "Register it again.",
    };
    await hook(failed);
    expect(finding(await examined(connected), "webhook")).toMatchObject({
      state: "failure",
      found: expect.stringContaining("Zendesk has deactivated it."),
      action: "Register it again.",
    });
  });

  test("clocks that differ by more than a minute are shown, after each run and by the doctor (row 47)", async () => {
    const connected = await read("skewed", {
      before: (world) => {
        world.advance(Date.now() - world.now() + 10 * 60_000);
      },
    });
    const skew = async () => (await api.call(getOne, connected.path, connected)).body.clockSkewSeconds;
    expect(await skew()).toBeGreaterThan(9 * 60);
    expect(finding(await examined(connected), "clock")).toMatchObject({
      state: "warning",
      found: expect.stringMatching(/^Zendesk's clock is (9|10) minutes ahead of this machine's/),
    });
    connected.world.advance(Date.now() - connected.world.now());
    await api.call(sync, `${connected.path}/sync`, { ...connected, body: {} });
    await settled(connected);
    expect(await skew()).toBeNull();
    expect(finding(await examined(connected), "clock").state).toBe("ok");
  });

  test("clocks: the database's counts too, and what was not heard is not ok", () => {
    const visit = (skew: number | null, lastRun: object | null) =>
      ({ connection: { clock_skew_seconds: skew }, facts: { lastRun } }) as unknown as Visit;
    const check = (of: Visit, clocks: { behindZendesk: number | null; databaseAhead: number }) =>
      checkClocks(of, clocks)[0];
    const run = { state: "succeeded", at: new Date() };
    expect(check(visit(null, run), { behindZendesk: 0, databaseAhead: -120 })).toMatchObject({
      state: "warning",
      found: expect.stringContaining("the database's is 2 minutes behind it"),
    });
    expect(check(visit(null, null), { behindZendesk: null, databaseAhead: 0 })).toMatchObject({ state: "unknown" });
    expect(check(visit(3600, run), { behindZendesk: null, databaseAhead: 0 })).toMatchObject({ state: "warning" });
  });

  test.each([
    [180_006, "ok"],
    [180_004, "warning"],
    [170_011, "ok"],
    [170_010, "warning"],
    [160_015, "ok"],
    [150_019, "ok"],
    [150_018, "warning"],
    [140_030, "warning"],
    [190_000, "ok"],
  ] as const)("a database server of version %i is %s", (number, state) => {
    const version = `${Math.floor(number / 10_000)}.${number % 10_000}`;
    expect(checkDatabase(visitOf(version, number, false))[0]).toMatchObject({
      state,
      found: expect.stringContaining(version),
    });
  });

  test("the embedded database is named as it is: nobody is warned of what only we can update", () => {
    expect(checkDatabase(visitOf("18.4", 180_004, true))[0]).toMatchObject({
      state: "ok",
      found: "Embedded PostgreSQL 18.4, the newest that npm has.",
      action: null,
    });
  });

  function visitOf(version: string, number: number, isEmbedded: boolean): Visit {
    return {
      ctx: { config: { database: { isEmbedded } } },
      facts: { database: { version, number } },
    } as unknown as Visit;
  }
});
