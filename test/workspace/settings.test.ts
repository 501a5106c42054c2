import { beforeEach, describe, expect, test } from "vitest";
import type { Trx } from "#db/client.ts";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import { type WorkspacePatch, workspacePatch } from "#lib/workspace/shapes.ts";
import { readWorkspace, updateWorkspace } from "#lib/workspace/store.ts";
import { storeTickets } from "#lib/zendesk/store/tickets.ts";
import { makeConnections } from "#test/metrics/history.ts";
import { ticketRow } from "#test/metrics/rows.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const now = new Date("2026-11-20T10:00:00Z");
let workspaceId: number;

beforeEach(async () => {
  workspaceId = await database.workspace();
  await inside(async (trx) => {
    const [connectionId = 0] = await makeConnections(trx, workspaceId, 1);
    const rows = [
      ticketRow({ id: "1", createdAt: new Date("2026-11-14T04:00:00Z"), priority: "low" }),
      ticketRow({
        id: "2",
        createdAt: new Date("2026-11-20T09:00:00Z"),
        priority: "urgent",
        status: "closed",
        merged: true,
      }),
    ];
    await storeTickets(trx, { workspaceId, connectionId }, rows, now);
  });
});

function inside<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
  return database.inWorkspace(workspaceId, work);
}
const patch = (change: WorkspacePatch) => inside((trx) => updateWorkspace(trx, workspaceId, change, now));
const counts = () =>
  inside((trx) =>
    trx
      .selectFrom("org_metric")
      .select(["total", "unsolved_top", "w1_created", "w2_created", "w1_created_top"])
      .executeTakeFirstOrThrow(),
  );

test("settings have their defaults and are read back as they were set", async () => {
  expect(await inside((trx) => readWorkspace(trx, workspaceId))).toMatchObject({
    timeZone: "UTC",
    windows: [7, 14, 30, 90, 180],
    topPriorities: ["high", "urgent"],
    minimumRatings: 5,
    countMerged: true,
  });
  const change = { name: "Renamed", minimumRatings: 3, syncIntervalMinutes: 15 };
  expect(await patch(change)).toMatchObject(change);
  expect(await inside((trx) => readWorkspace(trx, workspaceId))).toMatchObject(change);
});

describe("a change shows in every number when it returns", () => {
  test.each([
    ["windows", { windows: [1, 7] }, { w1_created: 1, w2_created: 2 }],
    ["zone", { timeZone: "America/Los_Angeles" }, { w1_created: 1, w2_created: 2 }],
    ["priorities", { topPriorities: ["low"] }, { unsolved_top: 1, w1_created_top: 1 }],
    ["merged tickets", { countMerged: false }, { total: 1, w1_created: 1, w1_created_top: 0 }],
  ] as [string, WorkspacePatch, object][])("of %s", async (_what, change, expected) => {
    expect(await counts()).toMatchObject({
      total: 2,
      w1_created: 2,
      w2_created: 2,
      unsolved_top: 0,
      w1_created_top: 1,
    });
    await patch(change);
    expect(await counts()).toMatchObject(expected);
    expect((await inside((trx) => rebuildMetrics(trx, workspaceId, now))).differing).toBe(0);
  });
});

test.each(["Mars/Olympus", "+02:00", "UTC+2", "Factory", "posixrules", "Europe/Berlin; drop table"])(
  "the time zone %j is refused by name, with the remedy",
  async (timeZone) => {
    await expect(patch({ timeZone })).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining(`“${timeZone}”. Use an IANA name`),
      details: [{ path: "timeZone", message: expect.any(String) }],
    });
    expect((await inside((trx) => readWorkspace(trx, workspaceId))).timeZone).toBe("UTC");
  },
);

test("a zone in other letters is kept in its own spelling", async () => {
  expect((await patch({ timeZone: "europe/berlin" })).timeZone).toBe("Europe/Berlin");
});

test.each([
  [{ windows: [0] }, "a window has at least 1 day"],
  [{ windows: [731] }, "a window has at most 730 days"],
  [{ windows: [] }, "give at least one window"],
  [{ windows: [1, 2, 3, 4, 5, 6] }, "at most five windows"],
  [{ windows: [7, 7] }, "the same window stands twice"],
  [{ topPriorities: [] }, "name at least one priority"],
])("%j is refused: %s", (change, message) => {
  const result = workspacePatch.safeParse(change);
  expect(result.error?.issues.map((issue) => issue.message)).toContain(message);
});
