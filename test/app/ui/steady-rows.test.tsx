import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { useSteadyRows } from "#app/_ui/data-table/steady-rows.ts";

type Row = { id: string; n: number };
const rowId = ({ id }: Row) => id;
const rowsOf = (text: string): Row[] => [...text].map((id, n) => ({ id, n }));

function steady(first: string) {
  const initialProps = { rows: rowsOf(first), rowId, question: "by name", stale: false };
  const { result, rerender } = renderHook(useSteadyRows<Row>, { initialProps });
  return {
    order: () => result.current.rows?.map(rowId).join(""),
    sortAgain: () => act(() => result.current.sortAgain?.()),
    moved: () => result.current.sortAgain !== undefined,
    come: (text: string, more: { question?: string; stale?: boolean } = {}) =>
      rerender({ ...initialProps, rows: rowsOf(text), ...more }),
  };
}

test("rows whose order changed stay where they are until they are sorted again", () => {
  const rows = steady("abc");
  expect(rows.moved()).toBe(false);
  rows.come("cab");
  expect([rows.order(), rows.moved()]).toEqual(["abc", true]);
  rows.sortAgain();
  expect([rows.order(), rows.moved()]).toEqual(["cab", false]);
});

test("new rows come last, and those that are gone leave", () => {
  const rows = steady("abc");
  rows.come("xac");
  expect(rows.order()).toBe("acx");
});

test("the next page follows without anything having moved", () => {
  const rows = steady("ab");
  rows.come("abcd");
  expect([rows.order(), rows.moved()]).toEqual(["abcd", false]);
});

test("another question brings its own order, not that of the rows shown while it is answered", () => {
  const rows = steady("abc");
  rows.come("abc", { question: "by number", stale: true });
  expect(rows.order()).toBe("abc");
  rows.come("cba", { question: "by number" });
  expect([rows.order(), rows.moved()]).toEqual(["cba", false]);
});
