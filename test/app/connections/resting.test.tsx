import { fireEvent, screen, within } from "@testing-library/react";
import { AppRouterContext, type AppRouterInstance } from "next/dist/shared/lib/app-router-context.shared-runtime.js";
import { afterEach, expect, test, vi } from "vitest";
import { LeaveGuard } from "#app/(dashboard)/_frame/leave-guard.tsx";
import { SessionProvider } from "#app/(dashboard)/_frame/session-context.tsx";
import { ConnectionScreen } from "#app/(dashboard)/connections/[connectionId]/connection-screen.tsx";
import type { Connection, Run } from "#lib/connections/shapes.ts";
import type { Destination } from "#lib/destinations/shapes.ts";
import { connection } from "#test/app/ui/connection.ts";
import { destination } from "#test/app/ui/destination.ts";
import { renderUi } from "#test/app/ui/render.tsx";

const router = {} as AppRouterInstance;
afterEach(() => vi.unstubAllGlobals());

const webhook = {
  ...{ state: "none", kind: null, endpoint: null, lastDeliveryAt: null, checkedAt: null },
  ...{ rotatedAt: null, waiting: 0, failure: null },
};
const waiting: Run = {
  id: "1",
  mode: "reconcile",
  trigger: "schedule",
  state: "waiting",
  waitingUntil: null,
  requestedAt: "2026-11-22T08:00:00Z",
  startedAt: "2026-11-22T08:00:00Z",
  finishedAt: null,
  streams: [],
  failure: null,
};

interface Shown {
  runs?: Run[];
  destinations?: Destination[];
  search?: string;
}

function open(shown: Connection, { runs = [], destinations = [], search = "" }: Shown = {}) {
  const answer = (path: string) => {
    if (path.endsWith("/webhook")) return webhook;
    if (path.includes("/runs")) return { items: runs, nextCursor: null };
    if (path.startsWith("/api/v1/destinations")) return { items: destinations, nextCursor: null };
    return path.endsWith("/c1") ? shown : { items: [], nextCursor: null };
  };
  vi.stubGlobal("fetch", async (path: string) => Response.json(answer(path)));
  const user = { id: "1", email: "ada@example.com", name: null, role: "admin" as const };
  renderUi(
    <SessionProvider session={{ user, workspace: { id: "1", name: "Acme", demo: false } }}>
      <AppRouterContext value={router}>
        <LeaveGuard>
          <ConnectionScreen id="c1" />
        </LeaveGuard>
      </AppRouterContext>
    </SessionProvider>,
    { search },
  );
}

test("a paused connection cannot be synced, says why, and its run is no run at work", async () => {
  open(connection({ state: "paused" }), { runs: [waiting] });
  const button = await screen.findByRole("button", { name: "Sync now" });
  expect(button).toHaveProperty("disabled", true);
  const why = document.getElementById(button.getAttribute("aria-describedby") ?? "");
  expect(why?.textContent).toMatch(/^Paused: resume it to sync/);
  expect(screen.getByRole("button", { name: "Resume" })).toHaveProperty("disabled", false);
  await screen.findByText("A run is paused");
  expect(screen.queryByText(/at work|its turn/)).toBeNull();
  expect(screen.queryByText(/come with the next sync/)).toBeNull();
});

test("a connection that reads can be synced", async () => {
  open(connection(), { runs: [waiting] });
  expect(await screen.findByRole("button", { name: "Sync now" })).toHaveProperty("disabled", false);
  await screen.findByText("A run is at work");
});

test("a disconnected connection says that nothing is read any more, since when, and what its rows stand at", async () => {
  open(connection({ state: "disconnected", access: "read_write", disconnectedAt: "2026-11-22T08:55:00Z" }));
  const title = await screen.findByText("It is disconnected: nothing is read any more, and nothing is written.");
  const notice = within(title.parentElement as HTMLElement);
  expect(notice.getByText(/Since/).textContent).toMatch(/Since .+ Its rows stay and count as they are, as of .+\./);
  expect(screen.getByRole("link", { name: "Reconnect" }).getAttribute("href")).toBe(
    "/connections/c1?tab=settings#login",
  );
  expect(screen.getAllByText("not read any more")).toHaveLength(3);
  expect(screen.queryByText(/caught up|come with the next sync|still to come|^read and write$/)).toBeNull();
  expect(screen.getByText("none any more; it was read and write")).toBeDefined();
});

test("disconnecting names the destinations that stop writing, and no other", async () => {
  const destinations = [
    destination(),
    destination({ id: "8", name: "Off", state: "off" }),
    destination({ id: "9", name: "Other", connectionId: "c2" }),
  ];
  open(connection(), { destinations, search: "?tab=settings" });
  fireEvent.click(await screen.findByRole("button", { name: "Disconnect" }));
  const dialog = await screen.findByRole("alertdialog");
  await within(dialog).findByText(
    "“Desk” is on and stops writing; what comes for it is kept queued until you reconnect.",
  );
});
