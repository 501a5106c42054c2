import { fireEvent, screen, within } from "@testing-library/react";
import { useState } from "react";
import { beforeAll, expect, test, vi } from "vitest";
import { CellButton } from "#app/_ui/cell-button.tsx";
import type { DataColumn } from "#app/_ui/data-table/columns.tsx";
import { DataTable, type DataTableProps } from "#app/_ui/data-table/data-table.tsx";
import { useUrlTableView } from "#app/_ui/data-table/url-view.ts";
import { defaultView, type TableView } from "#app/_ui/data-table/view.ts";
import { giveElementsSize, renderUi } from "./render.tsx";

type Row = { id: string; name: string; size: number };
const makeRows = (count: number): Row[] =>
  Array.from({ length: count }, (_, at) => ({ id: `r${at}`, name: `Row ${at}`, size: at * 10 }));

const pressed = vi.fn();
const columns: DataColumn<Row>[] = [
  { id: "name", header: "Name", sortable: true, cell: (row) => row.name },
  {
    id: "size",
    header: "Size",
    sortable: true,
    sortFirst: "desc",
    align: "end",
    cell: (row) => (
      <CellButton label={`${row.size} of ${row.name}`} onClick={() => pressed(row.id)}>
        {row.size}
      </CellButton>
    ),
  },
  { id: "note", header: "Note", cell: (row) => `note ${row.id}` },
  { id: "extra", header: "Extra", hidden: true, cell: () => "extra" },
];

beforeAll(() => giveElementsSize(800, 320));

function Example({ initial = defaultView, ...props }: Partial<DataTableProps<Row>> & { initial?: TableView }) {
  const [view, setView] = useState(initial);
  return (
    <>
      <output>{JSON.stringify(view)}</output>
      <DataTable
        label="Rows"
        nouns={["row", "rows"]}
        columns={columns}
        rows={makeRows(200)}
        rowId={(row) => row.id}
        view={view}
        onViewChange={setView}
        empty={<p>Nothing matches</p>}
        {...props}
      />
    </>
  );
}

const rows = makeRows(200);
const view = () => JSON.parse(document.querySelector("output")?.textContent ?? "{}") as TableView;
const press = (key: string, more: object = {}) =>
  fireEvent.keyDown(document.activeElement ?? document.body, { key, ...more });
const here = () => {
  const cell = document.activeElement?.closest<HTMLElement>("[data-row]");
  return [Number(cell?.dataset.row), Number(cell?.dataset.column)];
};
const focusFirst = () => (document.querySelector('[data-row="0"][data-column="0"]') as HTMLElement).focus();

test("of 200 rows only those in sight and around them are in the document", () => {
  renderUi(<Example rows={rows} />);
  expect(screen.getByRole("rowheader", { name: "Row 0" })).toBeTruthy();
  expect(screen.getAllByRole("rowheader").length).toBeLessThan(40);
  expect(screen.getByRole("grid", { name: "Rows" }).getAttribute("aria-rowcount")).toBe("201");
});

test("the grid is one tab stop, and it is the button where the cell holds one", () => {
  renderUi(<Example rows={rows} />);
  const stops = () => screen.getByRole("grid").querySelectorAll('[tabindex="0"]');
  expect([...stops()].map((stop) => stop.textContent)).toEqual(["Row 0"]);
  focusFirst();
  press("ArrowRight");
  expect([...stops()].map((stop) => stop.getAttribute("aria-label"))).toEqual(["0 of Row 0"]);
  expect(document.activeElement?.tagName).toBe("BUTTON");
});

test("arrow keys move by cell, Home and End to the row's ends, Ctrl with them to the table's", () => {
  renderUi(<Example rows={rows} />);
  focusFirst();
  const path = [
    ["ArrowDown"],
    ["ArrowRight"],
    ["End"],
    ["ArrowRight"],
    ["PageDown"],
    ["Home"],
    ["End", { ctrlKey: true }],
    ["Home", { ctrlKey: true }],
    ["ArrowUp"],
    ["ArrowUp"],
  ] as const;
  const seen = path.map(([key, more]) => {
    press(key, more);
    return here();
  });
  expect(seen).toEqual([
    [1, 0],
    [1, 1],
    [1, 2],
    [1, 2],
    [11, 2],
    [11, 0],
    [199, 2],
    [0, 0],
    [-1, 0],
    [-1, 0],
  ]);
});

test("j and k step through the rows from anywhere, but not while text is typed", () => {
  renderUi(
    <>
      <input aria-label="Search" />
      <Example rows={rows} />
    </>,
  );
  press("j");
  expect(here()).toEqual([0, 0]);
  press("j");
  press("j");
  press("k");
  expect(here()).toEqual([1, 0]);
  screen.getByLabelText("Search").focus();
  press("j");
  expect(document.activeElement).toBe(screen.getByLabelText("Search"));
});

test("Enter opens the row of a plain cell", () => {
  const open = vi.fn();
  renderUi(<Example rows={rows} onOpenRow={open} />);
  focusFirst();
  press("ArrowDown");
  press("Enter");
  expect(open.mock.calls).toEqual([[rows[1]]]);
});

test("a press on the row opens it, a press on a number in it opens only the number", () => {
  const open = vi.fn();
  renderUi(<Example rows={rows} onOpenRow={open} />);
  fireEvent.click(screen.getByRole("button", { name: "30 of Row 3" }));
  expect(pressed.mock.lastCall).toEqual(["r3"]);
  expect(open).not.toHaveBeenCalled();
  fireEvent.click(screen.getByText("note r2"));
  expect(open.mock.calls).toEqual([[rows[2]]]);
});

test("a header sorts in its first direction, then in the other, and says which", () => {
  renderUi(<Example rows={rows} />);
  const header = () => screen.getByRole("columnheader", { name: "Size" });
  const states = [header().getAttribute("aria-sort")];
  for (const _ of [1, 2]) {
    fireEvent.click(within(header()).getByRole("button"));
    states.push(`${header().getAttribute("aria-sort")} ${view().sort}`);
  }
  expect(states).toEqual(["none", "descending -size", "ascending size"]);
  expect(screen.getByRole("columnheader", { name: "Note" }).hasAttribute("aria-sort")).toBe(false);
});

test("Shift with an arrow on a header changes the column's width, within its limits", () => {
  renderUi(<Example rows={rows} initial={{ ...defaultView, widths: { size: 72 } }} />);
  const button = within(screen.getByRole("columnheader", { name: "Size" })).getByRole("button");
  button.focus();
  press("ArrowLeft", { shiftKey: true });
  expect(view().widths).toEqual({ size: 56 });
  press("ArrowLeft", { shiftKey: true });
  expect(view().widths).toEqual({ size: 56 });
  press("ArrowRight", { shiftKey: true });
  expect(view().widths).toEqual({ size: 72 });
});

test("columns stand in the view's order, the first always first, unknown ones ignored", () => {
  renderUi(<Example rows={rows} initial={{ ...defaultView, columns: ["extra", "gone", "size"] }} />);
  expect(screen.getAllByRole("columnheader").map((header) => header.textContent)).toEqual(["Name", "Extra", "Size"]);
});

test("the next page is asked for near the end only, and not while it comes or after a failure", () => {
  const fetchMore = vi.fn();
  const more = { rows, hasMore: true, onFetchMore: fetchMore };
  const { rerender } = renderUi(<Example {...more} />);
  expect(fetchMore).not.toHaveBeenCalled();
  rerender(<Example {...more} fetchingMore />);
  focusFirst();
  press("End", { ctrlKey: true });
  rerender(<Example {...more} error={new Error("no")} />);
  expect(fetchMore).not.toHaveBeenCalled();
  rerender(<Example {...more} />);
  expect(fetchMore).toHaveBeenCalledOnce();
});

test("waiting, failed and empty are told apart inside the frame", () => {
  const { rerender } = renderUi(<Example rows={undefined} />);
  expect(screen.getByText("Loading rows…")).toBeTruthy();
  rerender(<Example rows={undefined} error={new Error("It is down.")} onRetry={() => {}} />);
  expect(screen.getByRole("alert").textContent).toContain("It is down.");
  expect(screen.queryByText("Nothing matches")).toBeNull();
  rerender(<Example rows={[]} />);
  expect(screen.getByText("Nothing matches")).toBeTruthy();
  expect(screen.getByText("0 rows")).toBeTruthy();
});

test("rows that are there stay when the next page fails", () => {
  renderUi(<Example rows={rows} error={new Error("It is down.")} onRetry={() => {}} />);
  expect(screen.getByRole("rowheader", { name: "Row 0" })).toBeTruthy();
  expect(screen.getByRole("alert").textContent).toContain("It is down.");
});

test("a view comes from the URL, and what the URL gets wrong is left out", () => {
  function FromUrl() {
    const [urlView] = useUrlTableView("-size");
    return <output>{JSON.stringify(urlView)}</output>;
  }
  renderUi(<FromUrl />, { search: "?columns=size,name&widths=name:9000,size:x,note:80&density=huge" });
  expect(JSON.parse(document.querySelector("output")?.textContent ?? "")).toEqual({
    sort: "-size",
    columns: ["size", "name"],
    widths: { name: 640, note: 80 },
    density: "compact",
  });
});
