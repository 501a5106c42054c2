import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { TextWithTimes } from "#app/_ui/text-with-times.tsx";
import { CheckTable } from "#app/(dashboard)/connections/[connectionId]/ledger/check-table.tsx";
import type { DriftRun } from "#lib/connections/shapes.ts";
import { renderUi } from "#test/app/ui/render.tsx";

const none = { missing: 0, extra: 0, older: 0, different: 0, repaired: 0, unusual: false, columns: [] };
const check = (state: DriftRun["state"], of: Partial<DriftRun["streams"][number]>): DriftRun => ({
  runId: "1",
  state,
  startedAt: "2026-11-22T03:00:00Z",
  finishedAt: state === "succeeded" ? "2026-11-22T03:10:00Z" : null,
  streams: [{ stream: "tickets", compared: 21_900, ...none, ...of }],
});
const icon = () =>
  within(screen.getAllByRole("row")[1] as HTMLElement)
    .getByRole("button", { name: /show this check/ })
    .querySelector("svg");

test("a check in which nearly every row differed is no success: it is to be watched, and says in which columns", () => {
  const columns = [
    { name: "content_hash", rows: 1000 },
    { name: "updated_at", rows: 12 },
  ];
  renderUi(
    <CheckTable
      checks={[check("succeeded", { different: 21_843, repaired: 21_843, unusual: true, columns })]}
      onOpen={() => {}}
    />,
  );
  const row = screen.getAllByRole("row")[1] as HTMLElement;
  expect(row.textContent).toContain("21,843 differed, all repaired");
  expect(row.textContent).toContain(
    "An unusual share: 21,843 of 21,900 tickets, the first 1,000 of them in other content (1,000), updated at (12).",
  );
  expect(icon()?.classList).toContain("text-watch");
});

test("a check that repaired a few rows, or goes on, raises no alarm", () => {
  const { rerender } = renderUi(
    <CheckTable checks={[check("succeeded", { older: 3, repaired: 3 })]} onOpen={() => {}} />,
  );
  expect(screen.queryByText(/unusual/)).toBeNull();
  expect(icon()?.classList).toContain("text-good");
  rerender(<CheckTable checks={[check("running", {})]} onOpen={() => {}} />);
  expect(icon()?.classList).not.toContain("text-watch");
  expect(icon()?.classList).toContain("text-accent");
});

test("an instant in a text of the API is shown in the reader's zone, whatever stands around it", () => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  renderUi(
    <p data-testid="text">
      <TextWithTimes text="Fresh through 2020-02-11 23:58 UTC; 3 rows held. Next 2020-02-12 00:10 UTC. Ends on 2020-04-30." />
    </p>,
  );
  const words = (at: string) =>
    new Date(at).toLocaleString("en", { day: "numeric", month: "short", year: "numeric", timeZone: zone });
  const text = screen.getByTestId("text").textContent ?? "";
  expect(text).toMatch(/^Fresh through .*; 3 rows held\. Next .*\. Ends on Apr 30, 2020\.$/);
  expect(text).not.toContain("UTC");
  expect(text).toContain(words("2020-02-11T23:58Z").slice(0, 3));
  const instants = [...document.querySelectorAll("time")].map((time) => time.dateTime);
  expect(instants).toEqual(["2020-02-11T23:58:00.000Z", "2020-02-12T00:10:00.000Z", "2020-04-30"]);
});
