import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { RunProgress } from "#app/(dashboard)/connections/[connectionId]/run-progress.tsx";
import { StreamRemarks } from "#app/(dashboard)/connections/[connectionId]/runs.tsx";
import type { Run } from "#lib/connections/shapes.ts";
import { renderUi } from "#test/app/ui/render.tsx";

const rows = { read: 1, inserted: 1, updated: 0, unchanged: 0, deleted: 0, repaired: 0, held: 0 };
const stream = (name: Run["streams"][number]["name"], more: Partial<Run["streams"][number]> = {}) => ({
  name,
  state: "ok",
  pages: 1,
  rows,
  cleaned: 0,
  restarts: 0,
  ...more,
});
const run = (streams: Run["streams"]): Run => ({
  id: "1",
  mode: "incremental",
  trigger: "schedule",
  state: "succeeded",
  waitingUntil: null,
  requestedAt: "2026-11-22T09:00:00Z",
  startedAt: "2026-11-22T09:00:00Z",
  finishedAt: "2026-11-22T09:01:00Z",
  streams,
  failure: null,
});

test("a run says which texts it cleaned and how often it began again; without either it says nothing", () => {
  const { container, rerender } = renderUi(
    <StreamRemarks run={run([stream("tickets", { cleaned: 1200 }), stream("users", { restarts: 1 })])} />,
  );
  expect(screen.getByText(/^Tickets: 1,200 texts hold characters that no database takes/)).toBeDefined();
  expect(screen.getByText(/^Users: Zendesk refused the place 1 time; read again/)).toBeDefined();
  rerender(<StreamRemarks run={run([stream("tickets"), stream("users")])} />);
  expect(container.textContent).toBe("");
});

test("a live run says what it waits for, as far as it is known", () => {
  const live = (more: Partial<Run>): Run => ({ ...run([]), finishedAt: null, ...more });
  const { container, rerender } = renderUi(<RunProgress run={live({ state: "queued" })} paused={false} />);
  const says = (more: Partial<Run>, paused = false) => {
    rerender(<RunProgress run={live(more)} paused={paused} />);
    return container.textContent;
  };
  expect(container.textContent).toContain("Waiting for its turn");
  expect(says({ state: "running" })).toContain("Waiting for Zendesk’s answer");
  const reading = [stream("tickets", { state: "running" })];
  expect(says({ state: "running", streams: reading })).toContain("Reading tickets");
  const later = new Date(Date.now() + 600_000).toISOString();
  const waits = says({ state: "waiting", waitingUntil: later });
  expect(waits).toMatch(/Waiting to ask Zendesk again.*it goes on by itself in 10 min/);
  expect(waits).not.toContain("turn");
  expect(says({ state: "waiting", waitingUntil: "2026-11-22T09:00:30Z" })).toContain("Waiting for its turn");
  expect(says({ state: "waiting" })).toContain("Waiting for its turn");
  expect(says({ state: "waiting", waitingUntil: later }, true)).toMatch(/Paused.*when the connection is resumed/);
});
