import { focusManager } from "@tanstack/react-query";
import { act, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PageError } from "#app/_ui/page-error.tsx";
import { FollowChanges } from "#app/(dashboard)/_frame/follow-changes.tsx";
import { FreshnessStamp } from "#app/(dashboard)/_frame/freshness-stamp.tsx";
import { SilenceBar } from "#app/(dashboard)/_frame/silence-bar.tsx";
import { connection } from "./connection.ts";
import { renderUi } from "./render.tsx";

const unreachable = "The database cannot be reached just now. Try again in a moment.";
const server = { answers: true, listed: 0 };

beforeEach(() => {
  Object.assign(server, { answers: true, listed: 0 });
  vi.useFakeTimers({ now: new Date("2026-11-22T09:00:00Z") });
  vi.stubGlobal("fetch", async (path: string) => {
    if (!server.answers)
      return Response.json({ error: { code: "unavailable", message: unreachable } }, { status: 503 });
    if (path.startsWith("/api/v1/changes")) return Response.json({ version: "1" });
    if (path.startsWith("/api/health")) return Response.json({ status: "ready" });
    server.listed++;
    return Response.json({ items: [connection()], total: 1 });
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const after = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const bar = () => screen.queryByRole("alert")?.textContent;
const stamp = () => ["all fresh", "state unknown"].filter((words) => screen.queryByText(words));

function Frame() {
  return (
    <>
      <FreshnessStamp />
      <SilenceBar />
      <FollowChanges />
    </>
  );
}

test("while the server does not answer, the screen says since when and why, and claims no state; after it all is asked anew", async () => {
  renderUi(<Frame />);
  await after(3_000);
  expect([bar(), stamp()]).toEqual([undefined, ["all fresh"]]);
  server.answers = false;
  await after(6_000);
  expect(bar()).toMatch(/Nothing new is shown since .*The database cannot be reached just now/);
  expect(stamp()).toEqual(["state unknown"]);
  await after(60_000);
  expect(stamp()).toEqual(["state unknown"]);
  const { listed } = server;
  server.answers = true;
  await after(8_000);
  expect([bar(), stamp()]).toEqual([undefined, ["all fresh"]]);
  expect(server.listed).toBeGreaterThan(listed);
});

test("one answer that fails disturbs nobody", async () => {
  renderUi(<Frame />);
  await after(2_400);
  server.answers = false;
  await after(200);
  server.answers = true;
  await after(1_500);
  expect([bar(), stamp()]).toEqual([undefined, ["all fresh"]]);
});

test("a tab that nobody looks at goes on asking after a failure, and claims nothing wrong", async () => {
  renderUi(<Frame />);
  await after(3_000);
  focusManager.setFocused(false);
  server.answers = false;
  await after(40_000);
  expect(bar()).toMatch(/The database cannot be reached just now/);
  server.answers = true;
  await after(40_000);
  expect([bar(), stamp()]).toEqual([undefined, ["all fresh"]]);
  focusManager.setFocused(undefined);
});

test("a page that the server could not make says what readiness says, and comes by itself once it is ready", async () => {
  const reload = vi.spyOn(window.location, "reload").mockImplementation(() => {});
  server.answers = false;
  const error = Object.assign(new Error("Minified React error #441"), { digest: "1164088698" });
  renderUi(<PageError title="This page could not be shown" error={error} onRetry={() => {}} />);
  await after(6_000);
  expect(screen.getByRole("alert").textContent).toContain(unreachable);
  expect(screen.getByRole("alert").textContent).not.toContain("React");
  expect(reload).not.toHaveBeenCalled();
  server.answers = true;
  await after(6_000);
  expect(reload).toHaveBeenCalledTimes(1);
});

test("a page that fails though the server is ready stays, and names the failure", async () => {
  const reload = vi.spyOn(window.location, "reload").mockImplementation(() => {});
  const error = Object.assign(new Error("Minified React error #441"), { digest: "1164088698" });
  renderUi(<PageError title="This page could not be shown" error={error} onRetry={() => {}} />);
  await after(30_000);
  expect(screen.getByRole("alert").textContent).toContain("1164088698");
  expect(screen.getByRole("alert").textContent).not.toContain("React");
  expect(reload).not.toHaveBeenCalled();
});
