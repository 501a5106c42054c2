import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { HeldRow } from "#app/_queries/connections.ts";
import { SessionProvider } from "#app/(dashboard)/_frame/session-context.tsx";
import { HeldRows } from "#app/(dashboard)/connections/[connectionId]/held/held-rows.tsx";
import { connection, stream } from "#test/app/ui/connection.ts";
import { renderUi } from "#test/app/ui/render.tsx";

const row = (key: string, more: Partial<HeldRow> = {}): HeldRow => ({
  stream: "users",
  key,
  reason: "it has no id",
  payload: `{"name":"${key}"}`,
  length: 12,
  isCut: false,
  firstHeldAt: "2026-11-20T09:00:00Z",
  lastHeldAt: "2026-11-21T09:00:00Z",
  setAside: null,
  ...more,
});
const word = { by: "ada@example.com", at: "2026-11-21T10:00:00Z" };

let rows: HeldRow[] = [];
let asked: string[] = [];
const copied: string[] = [];

beforeEach(() => {
  asked = [];
  vi.stubGlobal("fetch", async (path: string, init?: RequestInit) => {
    asked.push(`${init?.method ?? "GET"} ${path}${init?.body ? ` ${init.body}` : ""}`);
    const answer = path.includes("key=")
      ? { items: [{ ...rows[0], payload: "the whole of it", isCut: false }], nextCursor: null }
      : path.includes("/held/set-aside")
        ? rows[0]
        : { items: rows, nextCursor: null };
    return new Response(JSON.stringify(answer), { headers: { "content-type": "application/json" } });
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  copied.length = 0;
});

function show(shown: HeldRow[], held: number) {
  rows = shown;
  vi.stubGlobal("navigator", { clipboard: { writeText: async (text: string) => void copied.push(text) } });
  const session = {
    user: { id: "1", email: "ada@example.com", name: "Ada", role: "admin" as const },
    workspace: { id: "1", name: "Acme", demo: false },
  };
  renderUi(
    <SessionProvider session={session}>
      <HeldRows connection={connection({ streams: [stream("users", { held })] })} />
    </SessionProvider>,
  );
}
const list = async (name: string) => within(await screen.findByRole("list", { name }));

test("a held row can be set aside: the word goes out for this one row", async () => {
  show([row("unnamed:1"), row("unnamed:2")], 2);
  const held = await list("Held rows");
  expect(held.getAllByRole("listitem")).toHaveLength(2);
  fireEvent.click(held.getByRole("button", { name: "Set aside: user unnamed:2" }));
  await waitFor(() => expect(asked.join("\n")).toContain("set-aside"));
  expect(asked.find((one) => one.startsWith("POST"))).toBe(
    'POST /api/v1/connections/c1/held/set-aside {"stream":"users","key":"unnamed:2","setAside":true}',
  );
});

test("rows that were set aside stand apart with who did it, and can be held again; there is nothing to try in all", async () => {
  show([row("unnamed:1", { setAside: word })], 0);
  const aside = await list("Rows set aside");
  expect(aside.getByRole("listitem").textContent).toContain("ada@example.com");
  expect(screen.queryByRole("list", { name: "Held rows" })).toBeNull();
  expect(screen.getByText("No other row is held.")).toBeDefined();
  expect(screen.queryByRole("button", { name: /Try all/ })).toBeNull();
  fireEvent.click(aside.getByRole("button", { name: "Hold again: user unnamed:1" }));
  await waitFor(() => expect(asked.join("\n")).toContain('"setAside":false'));
});

test("of a long row the beginning is shown with its length, and all of it is copied", async () => {
  show([row("unnamed:1", { payload: "x".repeat(100_000), length: 1_500_000, isCut: true })], 1);
  const held = await list("Held rows");
  fireEvent.click(held.getByRole("button", { name: "Show raw text: user unnamed:1" }));
  expect(held.getByText(/The first 20,000 of 1,500,000 characters/)).toBeDefined();
  expect(copied).toEqual([]);
  fireEvent.click(held.getByRole("button", { name: "Copy the raw text" }));
  await waitFor(() => expect(copied).toEqual(["the whole of it"]));
  expect(asked.at(-1)).toBe("GET /api/v1/connections/c1/held?stream=users&key=unnamed%3A1");
});
