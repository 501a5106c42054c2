import { useQuery } from "@tanstack/react-query";
import { act, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { accountQueries } from "#app/_queries/accounts.ts";
import { FollowChanges } from "#app/(dashboard)/_frame/follow-changes.tsx";
import { renderUi } from "./render.tsx";

/** What the server answers now: its version, a number, and how long it thinks about the number. */
const server = { version: "1", open: 1, broken: false, slowMs: 0, asked: 0 };

beforeEach(() => {
  Object.assign(server, { version: "1", open: 1, broken: false, slowMs: 0, asked: 0 });
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async (path: string) => {
    if (path.startsWith("/api/v1/changes")) {
      return server.broken ? new Response("", { status: 500 }) : Response.json({ version: server.version });
    }
    server.asked++;
    const { open } = server;
    if (server.slowMs > 0) await new Promise((resolve) => setTimeout(resolve, server.slowMs));
    return Response.json({ name: "Acme", open });
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function Shown() {
  const { data } = useQuery(accountQueries.one("7", 30));
  return <output>{data ? String((data as unknown as { open: number }).open) : "none"}</output>;
}
const shown = () => screen.getByRole("status").textContent;
const after = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

test("what is shown is asked again when the version has changed, and not otherwise", async () => {
  renderUi(
    <>
      <FollowChanges />
      <Shown />
    </>,
  );
  await after(10_000);
  expect([shown(), server.asked]).toEqual(["1", 1]);
  Object.assign(server, { version: "2", open: 2 });
  await after(3_000);
  expect([shown(), server.asked]).toEqual(["2", 2]);
});

test("a server that fails to name its version disturbs nothing, and is followed again when it does", async () => {
  renderUi(
    <>
      <FollowChanges />
      <Shown />
    </>,
  );
  await after(3_000);
  Object.assign(server, { version: "2", open: 2, broken: true });
  await after(3_000);
  expect(shown()).toBe("1");
  server.broken = false;
  await after(31_000);
  expect(shown()).toBe("2");
});

test("a change that comes while a slow answer is on its way is followed after it", async () => {
  renderUi(
    <>
      <FollowChanges />
      <Shown />
    </>,
  );
  await after(3_000);
  Object.assign(server, { version: "2", open: 2, slowMs: 6_000 });
  await after(3_000);
  // Read before this change, answered after it.
  Object.assign(server, { version: "3", open: 3 });
  await after(14_000);
  expect(shown()).toBe("3");
});
