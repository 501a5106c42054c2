import { fork } from "node:child_process";
import { sql } from "kysely";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { inWorkspace, type Trx } from "#db/client.ts";
import { retryHeldRows } from "#lib/zendesk/held.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

const database = useDatabase();

async function asOwner<T>(work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  try {
    return await work(owner);
  } finally {
    await owner.end();
  }
}

const freshTickets = (account: Account) =>
  account.read((trx) =>
    trx
      .selectFrom("stream_state")
      .select(["fresh_through", "resume_from"])
      .where("connection_id", "=", account.connectionId)
      .where("stream", "=", "tickets")
      .execute(),
  );

describe("the database", () => {
  it("refusing writes ends the run, and neither rows nor places move", async () => {
    const world = randomWorld(31, { tickets: 40, days: 20, turmoil: false });
    const account = await connect(database, world);
    await account.sync();
    const before = [await freshTickets(account), await stored(account)];
    world.advance(24 * HOUR);
    await asOwner((owner) => owner.query("revoke insert, update on ticket, zendesk_user from bellwether_app"));
    try {
      await expect(account.sync({ streams: ["tickets"] })).rejects.toMatchObject({ code: "42501" });
    } finally {
      await asOwner((owner) => owner.query("grant insert, update on ticket, zendesk_user to bellwether_app"));
    }
    expect([await freshTickets(account), await stored(account)]).toEqual(before);
    await account.sync();
    await expectConverged(account);
  });

  it("losing its connections in mid-run ends the run, and the next one goes on", async () => {
    const world = randomWorld(32, { tickets: 60, days: 20, turmoil: false });
    const account = await connect(database, world);
    account.zendesk.faults.before(
      { path: "/api/v2/incremental/tickets/cursor" },
      async () => {
        await asOwner((owner) =>
          owner.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
          ),
        );
      },
      { times: 1 },
    );
    await account.sync().catch((error: unknown) => error);
    const outcome = await account.sync();
    expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    await expectConverged(account);
  });

  it("takes pages of thousands of rows: parameters do not grow with them", async () => {
    const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
    world.at(new Date(world.now() - HOUR).toISOString(), () => {
      for (let n = 0; n < 2200; n++) world.organizations.create({ name: `O${n}`, fields: { a: "1", b: "2" } as never });
    });
    const account = await connect(database, world);
    const outcome = await account.sync({ streams: ["organizations"] });
    expect(outcome.streams[0]?.state).toBe("ok");
    expect((await stored(account)).organizations).toHaveLength(2200);
  });

  it("bears a transaction that locks the same rows in the opposite order: the run goes on to its end", async () => {
    const world = randomWorld(33, { tickets: 80, days: 20, turmoil: false });
    const account = await connect(database, world);
    await account.sync();
    world.advance(24 * HOUR);
    const ids = (await stored(account)).tickets.map(({ id }) => id).reverse();
    const rival = (async () => {
      for (let n = 0; n < 10; n++) {
        await inWorkspace(database.db, account.workspaceId, async (trx) => {
          for (const id of ids.slice(0, 20))
            await trx.updateTable("ticket").set({ type: "task" }).where("id", "=", id).execute();
        }).catch(() => {});
      }
    })();
    const outcome = await account.sync({ mode: "full" });
    await rival;
    expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
  });

  it("bears that somebody keeps a lock longer than a run waits for it: the page is committed again", async () => {
    const account = await connect(database, randomWorld(34, { tickets: 20, days: 10, turmoil: false }));
    await account.sync();
    account.world.advance(HOUR);
    await asOwner(async (owner) => {
      await owner.query("begin");
      await owner.query("select from stream_state where connection_id = $1 for update", [account.connectionId]);
      let waited = 0;
      const sleep = async () => {
        waited++;
        await owner.query("rollback");
      };
      const fence = async (trx: Trx) => void (await sql`set local lock_timeout = '50ms'`.execute(trx));
      const outcome = await account.sync({ fence, options: { sleep } });
      expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
      expect(waited).toBeGreaterThan(0);
    });
    await expectConverged(account);
  });

  it("keeps two connections of one workspace with equal ids apart", async () => {
    const [a, b] = [
      new World({ subdomain: "alpha", clock: "2026-03-02T09:00:00Z" }),
      new World({ subdomain: "beta", clock: "2026-03-02T09:00:00Z" }),
    ];
    for (const [world, name] of [
      [a, "Alpha"],
      [b, "Beta"],
    ] as const) {
      for (let n = 0; n < 5; n++) world.tickets.create({ subject: `${name} ${n}` });
      world.organizations.create({ name });
      world.advance(5 * MINUTE);
    }
    const [first, second] = [await connect(database, a), await connect(database, b)];
    await Promise.all([first.sync(), second.sync()]);
    await expectConverged(first);
    await expectConverged(second);
    expect((await stored(first)).tickets.map(({ id }) => id)).toEqual(
      (await stored(second)).tickets.map(({ id }) => id),
    );
  });
});

describe("a process that is killed", () => {
  it("at any moment leaves rows and places that agree, and the next one goes on", async () => {
    const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
    world.at(new Date(world.now() - HOUR * 5).toISOString(), () => {
      for (let n = 0; n < 40; n++) world.organizations.create({ name: `O${n}` });
    });
    for (let n = 0; n < 150; n++)
      world.at(new Date(world.now() - HOUR * 4 + n * 10_000).toISOString(), () =>
        world.tickets.create({ subject: `T${n}` }),
      );
    const account = await connect(database, world);
    await account.read((trx) =>
      trx
        .insertInto("stream_state")
        .values({
          workspace_id: account.workspaceId,
          connection_id: account.connectionId,
          stream: "tickets",
          purpose: "incremental",
          caught_up: true,
          page_size: 10,
          updated_at: new Date(),
        })
        .execute(),
    );
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(await runAndKill(account, 2 + attempt, attempt * 4)).toBe(true);
      const state = await account.read((trx) =>
        trx
          .selectFrom("stream_state")
          .select("position")
          .where("stream", "=", "tickets")
          .where("connection_id", "=", account.connectionId)
          .executeTakeFirstOrThrow(),
      );
      const place = state.position
        ? (JSON.parse(state.position) as { rows: number; at: string | null })
        : { rows: 0, at: null };
      expect((await stored(account)).tickets.length).toBeGreaterThanOrEqual(place.rows);
    }
    await account.sync();
    await expectConverged(account);
  }, 120_000);
});

/** Runs a sync in a process of its own and kills it so many milliseconds after it asked for so many pages of tickets. */
function runAndKill(account: Account, pages: number, after: number): Promise<boolean> {
  const child = fork(new URL("./killed-process.ts", import.meta.url), {
    execArgv: ["--import", "tsx"],
    env: {
      ...process.env,
      SYNC_DATABASE: database.url,
      SYNC_ZENDESK: account.zendesk.url,
      SYNC_SCOPE: `${account.workspaceId}:${account.connectionId}`,
    },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  let asked = 0;
  const watch = account.zendesk.faults.before({ path: "/api/v2/incremental/tickets" }, () => {
    if (++asked === pages) setTimeout(() => child.kill("SIGKILL"), after);
  });
  return new Promise((resolve) => {
    child.on("exit", (_code, signal) => {
      watch.remove();
      resolve(signal === "SIGKILL");
    });
  });
}

describe("held rows", () => {
  it("are stored when a person tries them again and the obstacle is gone", async () => {
    const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
    world.organizations.create({ name: "Refused", externalId: "refused" });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await asOwner((owner) =>
      owner.query("alter table organization add constraint refuse check (external_id not like 'refused%')"),
    );
    await account.sync();
    const scope = { workspaceId: account.workspaceId, connectionId: account.connectionId };
    expect(await retryHeldRows(database, scope, new Date())).toEqual({ released: 0, held: 1 });
    await asOwner((owner) => owner.query("alter table organization drop constraint refuse"));
    expect(await retryHeldRows(database, scope, new Date(), "organizations")).toEqual({ released: 1, held: 0 });
    await expectConverged(account);
  });
});

describe("a run that fails", () => {
  it("says why in the state of its stream, and the words go when it succeeds", async () => {
    const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
    const account = await connect(database, world);
    const state = () =>
      account.read((trx) =>
        trx
          .selectFrom("stream_state")
          .selectAll()
          .where("connection_id", "=", account.connectionId)
          .where("stream", "=", "users")
          .where("purpose", "=", "incremental")
          .executeTakeFirstOrThrow(),
      );
    account.zendesk.faults.add({ path: "/api/v2/incremental/users" }, fault.forbidden());
    await account.sync();
    const first = await state();
    expect(first).toMatchObject({ state: "failed", failure_code: "forbidden", failure_since: expect.any(Date) });
    world.advance(HOUR);
    await account.sync();
    expect((await state()).failure_since).toEqual(first.failure_since);
    account.zendesk.faults.clear();
    await account.sync();
    expect(await state()).toMatchObject({
      state: "ok",
      failure_code: null,
      failure_message: null,
      failure_since: null,
      failure_action: null,
    });
  });
});
