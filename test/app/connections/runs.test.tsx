import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
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
