import { expect, it } from "vitest";
import { POST as bulk } from "#app/api/v1/accounts/bulk/route.ts";
import { POST as importCsv } from "#app/api/v1/accounts/import/route.ts";
import { useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";
import { readAll } from "./stored.ts";

const database = useDatabase();
const api = useApi(database);
const names = async (workspaceId: number) =>
  (await database.inWorkspace(workspaceId, (trx) => readAll(trx, workspaceId))).map((account) => account.name);
const csv = { "content-type": "text/csv" };

it("bulk answers what it did, and the same key answers the same again", async () => {
  const workspaceId = await database.workspace();
  const key = await api.key(workspaceId);
  const body = {
    accounts: [
      { externalId: "1", name: "One" },
      { externalId: "2", name: 2 },
    ],
  };
  const headers = { "idempotency-key": "once" };
  const first = await api.call(bulk, "/api/v1/accounts/bulk", { key, body, headers });
  expect(first.body).toEqual({
    created: 1,
    updated: 0,
    unchanged: 0,
    rejected: [{ index: 1, externalId: "2", message: "name must be text, not the number 2." }],
  });
  expect((await api.call(bulk, "/api/v1/accounts/bulk", { key, body, headers })).body).toEqual(first.body);
  expect((await api.call(bulk, "/api/v1/accounts/bulk", { key, body })).body).toMatchObject({
    created: 0,
    unchanged: 1,
  });
});

it("bulk takes 5,000 accounts and says so of 5,001", async () => {
  const workspaceId = await database.workspace();
  const key = await api.key(workspaceId);
  const accounts = Array.from({ length: 5001 }, (_, n) => ({ externalId: `${n}`, name: "n" }));
  const { status, error } = await api.call(bulk, "/api/v1/accounts/bulk", { key, body: { accounts } });
  expect([status, error?.code, error?.details?.[0]?.path]).toEqual([422, "invalid", "accounts"]);
  expect(JSON.stringify(error)).toContain("5,000");
  expect(await names(workspaceId)).toEqual([]);
});

it("import answers as bulk does, with lines", async () => {
  const workspaceId = await database.workspace();
  const key = await api.key(workspaceId);
  const body = "external_id,name\n1,One\n,Two\n";
  expect((await api.call(importCsv, "/api/v1/accounts/import", { key, body, headers: csv })).body).toEqual({
    created: 1,
    updated: 0,
    unchanged: 0,
    rejected: [{ index: 1, line: 3, externalId: "", message: "external_id is empty." }],
  });
  const again = { key, body, headers: { ...csv, "idempotency-key": "file" } };
  const first = await api.call(importCsv, "/api/v1/accounts/import", again);
  expect((await api.call(importCsv, "/api/v1/accounts/import", again)).text).toBe(first.text);
});

it("a file that is wrong is told what and where", async () => {
  const workspaceId = await database.workspace();
  const key = await api.key(workspaceId);
  const send = async (body: string | Uint8Array, headers: Record<string, string> = csv) => {
    const { status, error } = await api.call(importCsv, "/api/v1/accounts/import", { key, body, headers });
    return [status, error?.code, error?.message];
  };
  expect(await send("id,name\n1,One\n")).toEqual([422, "invalid", expect.stringContaining("lacks external_id")]);
  expect(await send('external_id,name\n1,"One\n')).toEqual([
    400,
    "invalid",
    expect.stringContaining("line 2 is never closed"),
  ]);
  expect(await send(Uint8Array.of(0xff, 0xfe, 65, 0))).toEqual([400, "invalid", expect.stringContaining("UTF-16")]);
  expect(await send("", csv)).toEqual([422, "invalid", expect.stringContaining("file is empty")]);
  expect(await send("--x", { "content-type": "multipart/form-data; boundary=x" })).toEqual([
    400,
    "invalid",
    expect.stringContaining("CSV"),
  ]);
  expect(await names(workspaceId)).toEqual([]);
});

it("a body over 100 MiB is refused, told or untold", async () => {
  const workspaceId = await database.workspace();
  const key = await api.key(workspaceId);
  const told = await api.call(importCsv, "/api/v1/accounts/import", {
    key,
    body: "x",
    headers: { ...csv, "content-length": "104857601" },
  });
  expect([told.status, told.error?.code]).toEqual([413, "too_large"]);
  const row = new TextEncoder().encode("1,One\n".repeat(200_000));
  let left = 120;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(row);
      else controller.close();
    },
  });
  const untold = await api.call(importCsv, "/api/v1/accounts/import", { key, body, headers: csv });
  expect([untold.status, untold.error?.code]).toEqual([413, "too_large"]);
  expect(await names(workspaceId)).toEqual([]);
});

it("only an administrator writes accounts, and a stranger's body is not read", async () => {
  const workspaceId = await database.workspace();
  const key = await api.key(workspaceId, "csm");
  let read = false;
  const body = () =>
    new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          read = true;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  expect((await api.call(importCsv, "/api/v1/accounts/import", { key, body: body(), headers: csv })).status).toBe(403);
  expect((await api.call(importCsv, "/api/v1/accounts/import", { body: body(), headers: csv })).status).toBe(401);
  expect((await api.call(bulk, "/api/v1/accounts/bulk", { key, body: { accounts: [] } })).status).toBe(403);
  expect(read).toBe(false);
});
