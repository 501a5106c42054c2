import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { POST as maintenance } from "#app/api/cron/maintenance/route.ts";
import { POST as disconnect } from "#app/api/v1/connections/[id]/disconnect/route.ts";
import { POST as examine } from "#app/api/v1/connections/[id]/doctor/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { POST as createDestination } from "#app/api/v1/destinations/route.ts";
import { GET as notices } from "#app/api/v1/notices/route.ts";
import { GET as metrics } from "#app/metrics/route.ts";
import { secretValues } from "#lib/config.ts";
import { tellNotices } from "#lib/jobs/notices.ts";
import { registerSecrets } from "#lib/log.ts";
import type { Notice } from "#lib/notifications/shapes.ts";
import { type Connected, useGround } from "#test/connections/ground.ts";
import { bareConnection } from "#test/jobs/ground.ts";
import { type MailServer, startMailServer } from "#test/notifications/mail-server.ts";
import { requestOf } from "#test/support/api.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";

const mail: MailServer = await startMailServer();
afterAll(() => mail.close());
beforeEach(() => {
  mail.received.length = 0;
  mail.refuses = false;
});

const ground = useGround({
  SMTP_URL: mail.url,
  MAIL_FROM: "bellwether@example.com",
  PUBLIC_URL: "https://bellwether.example",
});
const { api, database, connect, settled } = ground;

beforeAll(() => registerSecrets(secretValues(api.context.config), "lasting"));

const minute = 60_000;
const hour = 60 * minute;
const start = new Date("2026-11-22T09:00:00Z");
const later = (milliseconds: number) => new Date(start.getTime() + milliseconds);

const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const noParams = { params: Promise.resolve({}) };

interface Team {
  workspace: number;
  key: string;
  connectionId: number;
  administrator: string;
}

/** A workspace with an administrator and a connection that nobody reads. */
async function team(change: Parameters<typeof bareConnection>[2] = {}): Promise<Team> {
  const workspace = await database.workspace();
  const { email } = await api.person(workspace, "admin");
  await api.person(workspace, "csm");
  const { connectionId } = await bareConnection(database, workspace, { name: "Acme Zendesk", ...change });
  await database.inWorkspace(workspace, (trx) =>
    trx
      .updateTable("stream_state")
      .set({ fresh_through: later(30 * 24 * hour), state: "ok" })
      .execute(),
  );
  return { workspace, key: await api.key(workspace, "viewer"), connectionId, administrator: email };
}
const set = ({ workspace, connectionId }: Team, change: Record<string, unknown>) =>
  database.inWorkspace(workspace, (trx) =>
    trx.updateTable("connection").set(change).where("id", "=", connectionId).execute(),
  );
const breakIt = (of: Team, code = "credentials_rejected") =>
  set(of, {
    state: "failing",
    failure_code: code,
    failure_message: "Zendesk rejects the credentials (401 for /api/v2/users/me).",
    failure_since: start,
    failure_action: "Reconnect with valid credentials of an administrator.",
  });
const mend = (of: Team) =>
  set(of, { state: "active", failure_code: null, failure_message: null, failure_action: null });
const tell = (now: Date) => tellNotices(api.context, now);
const listed = async (of: Pick<Team, "key">, query = ""): Promise<Notice[]> =>
  (await api.call(notices, `/api/v1/notices${query}`, { key: of.key })).body.items;
const lettersTo = ({ administrator }: Team) => mail.received.filter(({ to }) => to.includes(administrator));

describe("a notice", () => {
  test("is raised once, mailed once to administrators, kept while it goes on, and cleared with a letter", async () => {
    const acme = await team();
    await tell(start);
    expect(await listed(acme)).toEqual([]);

    await breakIt(acme);
    for (const minutes of [1, 2, 60]) await tell(later(minutes * minute));
    expect(await listed(acme)).toMatchObject([
      {
        connectionId: String(acme.connectionId),
        connection: "Acme Zendesk",
        code: "failing",
        message: "Zendesk rejects the credentials (401 for /api/v2/users/me).",
        action: "Reconnect with valid credentials of an administrator.",
        raisedAt: later(minute).toISOString(),
        clearedAt: null,
        mailedAt: later(minute).toISOString(),
        mailFailure: null,
      },
    ]);
    expect(lettersTo(acme)).toMatchObject([
      { from: "bellwether@example.com", to: [acme.administrator], subject: "Bellwether: Acme Zendesk does not sync" },
    ]);
    const text = lettersTo(acme)[0]?.text ?? "";
    expect(text).toContain("Acme Zendesk does not sync, since 2026-11-22 09:01 UTC.");
    expect(text).toContain("What happened: Zendesk rejects the credentials (401 for /api/v2/users/me).");
    expect(text).toContain("What still works: Everything read before stays");
    expect(text).toContain("What to do: Reconnect with valid credentials of an administrator.");
    expect(text).toContain(`https://bellwether.example/connections/${acme.connectionId}`);

    await mend(acme);
    for (const minutes of [90, 91]) await tell(later(minutes * minute));
    expect(await listed(acme, "?open=1")).toEqual([]);
    expect(await listed(acme, "?open=0")).toMatchObject([{ clearedAt: later(90 * minute).toISOString() }]);
    expect(lettersTo(acme).map(({ subject }) => subject)).toEqual([
      "Bellwether: Acme Zendesk does not sync",
      "Bellwether: Acme Zendesk syncs again",
    ]);
    expect(lettersTo(acme)[1]?.text).toContain("It began 2026-11-22 09:01 UTC and was over 2026-11-22 10:30 UTC.");
  });

  test("that comes and goes is shown each time and mailed once in six hours, and then when it still goes on", async () => {
    const acme = await team();
    for (const hours of [0, 1, 2, 3]) {
      await breakIt(acme);
      await tell(later(hours * hour));
      await mend(acme);
      await tell(later(hours * hour + 10 * minute));
    }
    expect(await listed(acme)).toHaveLength(4);
    expect(lettersTo(acme).map(({ subject }) => subject)).toEqual([
      "Bellwether: Acme Zendesk does not sync",
      "Bellwether: Acme Zendesk syncs again",
    ]);
    await breakIt(acme);
    await tell(later(4 * hour));
    await tell(later(5.9 * hour));
    expect(lettersTo(acme)).toHaveLength(2);
    await tell(later(6 * hour));
    expect(lettersTo(acme)[2]?.text).toContain("since 2026-11-22 13:00 UTC");
  });

  test("takes over the words of a new failure without a second letter", async () => {
    const acme = await team();
    await breakIt(acme);
    await tell(start);
    await set(acme, { failure_code: "unreachable", failure_message: "Zendesk cannot be reached." });
    await tell(later(minute));
    expect(await listed(acme)).toMatchObject([{ message: "Zendesk cannot be reached.", clearedAt: null }]);
    expect(lettersTo(acme)).toHaveLength(1);
  });

  test("that a nearer end replaces is not said to be over", async () => {
    const acme = await team({ auth_type: "api_token" });
    await set(acme, { clock_skew_seconds: null });
    await database.inWorkspace(acme.workspace, (trx) =>
      trx
        .updateTable("stream_state")
        .set({ fresh_through: new Date("2027-06-01T00:00:00Z") })
        .execute(),
    );
    for (const day of ["2027-03-01", "2027-03-30", "2027-04-01", "2027-04-24"])
      await tell(new Date(`${day}T00:00:00Z`));
    expect((await listed(acme, "?open=1")).map(({ code }) => code)).toEqual(["api_token_ends:7"]);
    expect(lettersTo(acme).map(({ subject }) => subject)).toEqual(
      Array.from({ length: 3 }, () => "Bellwether: Acme Zendesk signs in with a token that ends"),
    );
    await set(acme, { auth_type: "oauth_client_credentials" });
    await tell(new Date("2027-04-25T00:00:00Z"));
    expect(lettersTo(acme).at(-1)?.subject).toBe("Bellwether: Acme Zendesk does not depend on that token any more");
  });

  test("of a stream that fails stays while the stream is read again: nobody is told that it is over before it is", async () => {
    const acme = await team();
    const stream = (change: Record<string, unknown>) =>
      database.inWorkspace(acme.workspace, (trx) =>
        trx.updateTable("stream_state").set(change).where("stream", "=", "tickets").execute(),
      );
    const failure = { failure_code: "forbidden", failure_message: "Zendesk refuses.", failure_action: "Look." };
    await stream({ state: "failed", ...failure });
    await tell(start);
    await stream({ state: "running" });
    await tell(later(minute));
    // A wait takes the words of the failure away.
    await stream({ state: "waiting", failure_code: null, failure_message: null, failure_action: null });
    await tell(later(2 * minute));
    await stream({ state: "failed", ...failure });
    await tell(later(3 * minute));
    expect(await listed(acme)).toMatchObject([{ code: "failed:forbidden", clearedAt: null }]);
    expect(lettersTo(acme)).toHaveLength(1);
    await stream({ state: "ok", failure_code: null });
    await tell(later(4 * minute));
    expect(lettersTo(acme)[1]?.subject).toBe("Bellwether: Acme Zendesk is read completely again");
  });

  test("of a connection that a person pauses, or that fails as a whole, ends without a letter that all is well", async () => {
    const [paused, failing] = [await team(), await team()];
    await breakIt(paused);
    await database.inWorkspace(failing.workspace, (trx) =>
      trx
        .updateTable("stream_state")
        .set({ state: "failed", failure_code: "forbidden", failure_message: "No.", failure_action: "Look." })
        .execute(),
    );
    await tell(start);
    await set(paused, { state: "paused" });
    await breakIt(failing, "forbidden");
    await tell(later(minute));
    expect(await listed(paused, "?open=1")).toEqual([]);
    expect((await listed(failing, "?open=1")).map(({ code }) => code)).toEqual(["failing"]);
    expect(lettersTo(paused)).toHaveLength(1);
    expect(lettersTo(failing).map(({ subject }) => subject)).toEqual([
      "Bellwether: Acme Zendesk is not read completely",
      "Bellwether: Acme Zendesk does not sync",
    ]);
  });

  test("of a connection that was put away ends without a letter", async () => {
    const acme = await team();
    await breakIt(acme);
    await tell(start);
    await set(acme, { state: "disconnected" });
    await tell(later(minute));
    expect(await listed(acme)).toMatchObject([{ clearedAt: later(minute).toISOString() }]);
    expect(lettersTo(acme)).toHaveLength(1);
  });

  test("of a destination that cannot write leads to it; granted, it is over, and put away it ends without a word", async () => {
    const acme = await team({ access: "read_write" });
    const made = await api.call(createDestination, "/api/v1/destinations", {
      key: await api.key(acme.workspace),
      body: { connectionId: String(acme.connectionId), name: "Desk", profile: "customerio", enabled: true },
    });
    const codesNow = async () => (await listed(acme, "?open=1")).map(({ code }) => code);
    const subjects = () => lettersTo(acme).map(({ subject }) => subject);
    await tell(start);
    expect(await codesNow()).toEqual([]);
    await set(acme, { access: "read" });
    for (const minutes of [1, 2]) await tell(later(minutes * minute));
    expect(await codesNow()).toEqual([`writing_blocked:${made.body.id}`]);
    expect(lettersTo(acme)[0]?.text).toContain(`https://bellwether.example/destinations/${made.body.id}`);
    await set(acme, { access: "read_write" });
    await tell(later(3 * minute));
    expect(subjects()).toEqual([
      "Bellwether: Acme Zendesk is not written to",
      "Bellwether: Acme Zendesk is written to again",
    ]);
    await set(acme, { access: "read" });
    await tell(later(7 * hour));
    await database.inWorkspace(acme.workspace, (trx) =>
      trx.updateTable("destination").set({ enabled: false }).execute(),
    );
    await tell(later(8 * hour));
    expect([await codesNow(), subjects().length]).toEqual([[], 3]);
  });

  test("of a destination that is on upon a paused or disconnected connection is told as the screens tell it", async () => {
    const acme = await team({ access: "read_write" });
    const made = await api.call(createDestination, "/api/v1/destinations", {
      key: await api.key(acme.workspace),
      body: { connectionId: String(acme.connectionId), name: "Desk", profile: "customerio", enabled: true },
    });
    const openNow = async () => (await listed(acme, "?open=1")).map(({ code, action }) => [code, action]);
    await set(acme, { state: "paused" });
    await tell(start);
    expect(await openNow()).toEqual([
      [`writing_paused:${made.body.id}`, expect.stringMatching(/^What comes is kept queued until reading resumes/)],
    ]);
    await set(acme, { state: "disconnected" });
    await tell(later(minute));
    expect(await openNow()).toEqual([[`writing_ended:${made.body.id}`, expect.stringMatching(/^Reconnect it/)]]);
    await set(acme, { state: "active" });
    await tell(later(2 * minute));
    expect(await openNow()).toEqual([]);
    expect(lettersTo(acme).map(({ subject }) => subject)).toEqual([
      "Bellwether: Acme Zendesk is paused, and not written to",
      "Bellwether: Acme Zendesk is disconnected, and not written to",
      "Bellwether: Acme Zendesk is written to again",
    ]);
  });

  test("is one, though several processes look at the same time", async () => {
    const acme = await team();
    await breakIt(acme);
    await Promise.all([tell(start), tell(start), tell(start)]);
    await Promise.all([tell(later(minute)), tell(later(minute))]);
    expect(await listed(acme)).toHaveLength(1);
    expect(lettersTo(acme)).toHaveLength(1);
  });

  test("belongs to one workspace, in the list and in the post", async () => {
    const [acme, other] = [await team(), await team()];
    await breakIt(acme);
    await tell(start);
    expect(await listed(other)).toEqual([]);
    expect(lettersTo(other)).toEqual([]);
    expect((await api.call(notices, "/api/v1/notices", {})).status).toBe(401);
  });

  test("is listed newest first, page by page", async () => {
    const acme = await team();
    for (const hours of [0, 1, 2]) {
      await breakIt(acme);
      await tell(later(hours * hour));
      await mend(acme);
      await tell(later(hours * hour + minute));
    }
    const first = (await api.call(notices, "/api/v1/notices?limit=2", { key: acme.key })).body;
    expect(first.items.map(({ raisedAt }) => raisedAt)).toEqual(
      [later(2 * hour), later(hour)].map((at) => at.toISOString()),
    );
    expect(await listed(acme, `?limit=2&cursor=${first.nextCursor}`)).toMatchObject([
      { raisedAt: start.toISOString() },
    ]);
  });
});

describe("letters", () => {
  test("that the mail server does not take are tried again at longer intervals, and shown", async () => {
    const acme = await team();
    await breakIt(acme);
    mail.refuses = true;
    await tell(start);
    expect(await listed(acme)).toMatchObject([
      { mailedAt: null, mailFailure: expect.stringContaining("come back later") },
    ]);
    const tries = async () =>
      (
        await database.inWorkspace(acme.workspace, (trx) =>
          trx.selectFrom("notice").selectAll().executeTakeFirstOrThrow(),
        )
      ).mail_attempts;
    await tell(later(0.5 * minute));
    expect(await tries()).toBe(1);
    await tell(later(minute));
    await tell(later(2 * minute));
    expect(await tries()).toBe(2);
    mail.refuses = false;
    await tell(later(3 * minute));
    expect(await listed(acme)).toMatchObject([{ mailedAt: later(3 * minute).toISOString(), mailFailure: null }]);
    expect(lettersTo(acme)).toHaveLength(1);
  });

  test("of something that nobody was told of, and that is over, are not sent", async () => {
    const acme = await team();
    await breakIt(acme);
    mail.refuses = true;
    await tell(start);
    await mend(acme);
    mail.refuses = false;
    await tell(later(minute));
    await tell(later(hour));
    expect(lettersTo(acme)).toEqual([]);
  });

  test("go to administrators who may sign in, and those who are not known keep no others from theirs", async () => {
    const acme = await team();
    const gone = await api.person(acme.workspace, "admin");
    const left = await api.person(acme.workspace, "admin");
    await database.db.updateTable("app_user").set({ disabled_at: start }).where("id", "=", left.userId).execute();
    mail.unknown.add(gone.email);
    await breakIt(acme);
    await tell(start);
    expect(lettersTo(acme)).toMatchObject([{ to: [acme.administrator] }]);
    expect(await listed(acme)).toMatchObject([
      { mailedAt: start.toISOString(), mailFailure: `Not taken for ${gone.email}.` },
    ]);
  });

  test("hold a name with line breaks on one line: it forges neither header nor sentence", async () => {
    const name = "Acme\r\nBcc: victim@example.com\r\n\r\nWhat to do: send money\u2028to Größe";
    const acme = await team({ name });
    await breakIt(acme);
    await tell(start);
    const [letter] = lettersTo(acme);
    expect(letter?.to).toEqual([acme.administrator]);
    expect(letter?.raw.split("\r\n\r\n")[0]).not.toMatch(/^Bcc:/im);
    expect(letter?.subject).toBe(
      "Bellwether: Acme Bcc: victim@example.com What to do: send money to Größe does not sync",
    );
    expect(letter?.text.match(/^What to do:/gm)).toHaveLength(1);
  });

  test("keep the password of the mail server to themselves, though it repeats it", async () => {
    const acme = await team();
    await breakIt(acme);
    mail.refuses = true;
    await tell(start);
    const said = [...api.logged, JSON.stringify(await listed(acme))].join("\n");
    expect(said).toContain("could not be sent");
    expect(said).toContain("robot with [secret]");
    expect(said).not.toMatch(/mail-pass/);
  });
});

describe("of a connection that is read", () => {
  const read = async (subdomain: string): Promise<Connected> => {
    const connected = await connect(subdomain);
    await settled(connected);
    return connected;
  };
  const again = async (connected: Connected) => {
    await api.call(sync, `${connected.path}/sync`, { ...connected, body: {} });
    return settled(connected);
  };
  const open = async (connected: Connected) => {
    await tell(new Date());
    const { items } = (await api.call(notices, "/api/v1/notices?open=1", connected)).body;
    // The account of the tests lives in the past, and says so.
    return items.filter(({ code }) => code !== "clock_skew");
  };

  test("a stream that is kept from being read is named within two intervals, and cleared when it is read again (row 122)", async () => {
    const connected = await read("blocked");
    expect(await open(connected)).toEqual([]);
    const closed = ground.zendesk.faults.add(
      { subdomain: "blocked", path: "/api/v2/incremental/users" },
      fault.forbidden("scope"),
    );
    connected.world.advance(2 * hour + 5 * minute);
    expect((await again(connected)).state).toBe("failed");
    const found = await open(connected);
    expect(found.map(({ code }) => code).sort()).toEqual(["failing", "stale"]);
    const stale = found.find(({ code }) => code === "stale")?.message ?? "";
    expect(stale).toContain("Users are fresh through");
    expect(stale).not.toMatch(/Tickets|Groups|Organizations|Fields/);
    closed.remove();
    expect((await again(connected)).state).toBe("succeeded");
    expect(await open(connected)).toEqual([]);
  });

  test("a check of the past that finds unusually much is told of and mailed, until one finds no more than usual (row 23)", async () => {
    const connected = await connect("drifted", {
      before: (world) => {
        for (let n = 0; n < 20; n++) world.tickets.create({ subject: `More ${n}` });
        world.advance(24 * hour);
      },
    });
    await settled(connected);
    const { email } = await api.person(connected.workspace, "admin");
    const night = async () => {
      connected.world.advance(hour);
      await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "reconcile" } });
      expect((await settled(connected)).state).toBe("succeeded");
      return open(connected);
    };
    const measured = async () => {
      const response = await metrics(requestOf("GET", "/metrics", bearer(connected.key)), noParams);
      const lines = (await response.text()).split("\n");
      return lines.filter((line) => line.startsWith("bellwether_drift") && line.includes('stream="tickets"'));
    };
    expect(await night()).toEqual([]);
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.updateTable("ticket").set({ subject: "By hand" }).execute(),
    );
    expect(await night()).toMatchObject([
      {
        code: "drift:unusual",
        message: expect.stringMatching(
          /^The check of the past that ended .* UTC found .* Tickets: 30 of 30 rows, 30 repaired\.$/,
        ),
        action: expect.stringContaining("Past checks"),
      },
    ]);
    expect(
      (await measured()).map((line) => line.replace(/^\w+_(\w+)\{.*?(?:difference="(\w+)".*)?\} /, "$1 $2 ")),
    ).toEqual(["rows missing 0", "rows extra 0", "rows older 0", "rows different 30", "unusual  1"]);
    expect(mail.received.filter(({ to }) => to.includes(email)).map(({ subject }) => subject)).toContainEqual(
      expect.stringMatching(/differed unusually much from Zendesk$/),
    );
    expect(await night()).toEqual([]);
    expect((await measured()).at(-1)).toMatch(/^bellwether_drift_unusual\{.*\} 0$/);
  });

  test("whose schedule has died is told of by its age, without any error (row 122)", async () => {
    const connected = await read("lifeless");
    await tell(new Date(Date.now() + 2 * hour + 5 * minute));
    const { items } = (await api.call(notices, "/api/v1/notices?open=1", connected)).body;
    const stale = items.find(({ code }) => code === "stale");
    for (const name of ["Tickets", "Users", "Organizations"]) expect(stale?.message).toContain(`${name} are fresh`);
    expect(stale?.action).toContain("cron routes");
  });

  test("the first 401 raises a notice, and disconnecting clears it (T-58)", async () => {
    const connected = await read("expelled");
    connected.world.access.revokeAll();
    connected.world.access.clients.clear();
    await again(connected);
    expect(await open(connected)).toMatchObject([{ code: "failing", action: expect.stringMatching(/./) }]);
    await api.call(disconnect, `${connected.path}/disconnect`, connected);
    expect(await open(connected)).toEqual([]);
  });

  test("the cron route of the housekeeping keeps notices too", async () => {
    const acme = await team();
    await breakIt(acme);
    const request = requestOf("POST", "/api/cron/maintenance", { key: api.context.config.secrets.cron });
    expect((await maintenance(request, { params: Promise.resolve({}) })).status).toBe(200);
    expect((await listed(acme)).map(({ code }) => code)).toContain("failing");
  });
});

// Last: it closes the mail server.
describe("the connection doctor and the post", () => {
  test("says whether notices can be sent", async () => {
    const { key, workspace, connectionId } = await team({ state: "paused" });
    const admin = await api.key(workspace);
    const check = async () =>
      (await api.call(examine, `/api/v1/connections/${connectionId}/doctor`, { key: admin })).body.checks.find(
        (found) => found.key === "mail",
      );
    expect(key).not.toBe(admin);
    expect(await check()).toMatchObject({ state: "ok", found: expect.stringContaining("1 administrator.") });
    await mail.close();
    expect(await check()).toMatchObject({ state: "failure", found: expect.stringContaining("does not take mail") });
  });
});
