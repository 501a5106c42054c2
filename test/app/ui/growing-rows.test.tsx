import { act, fireEvent, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { useGrowingRows } from "#app/_ui/data-table/growing-rows.ts";
import "#test/app/ui/render.tsx";

type Row = { id: string; text: string };
const rowId = ({ id }: Row) => id;
const rowsOf = (ids: string, text = ""): Row[] => [...ids].map((id) => ({ id, text }));

function List({ rows, question = "all" }: { rows: Row[] | undefined; question?: string }) {
  const growing = useGrowingRows({ rows, rowId, question, stale: false });
  return (
    <>
      <button type="button" onClick={growing.show}>
        {growing.waiting}
      </button>
      <div data-testid="list" {...growing.attention}>
        {growing.rows?.map(({ id, text }) => `${id}${text}`).join(" ")}
      </div>
    </>
  );
}

function growing(first: string) {
  const { rerender } = render(<List rows={rowsOf(first)} />);
  const list = () => screen.getByTestId("list");
  return {
    shown: () => list().textContent,
    waiting: () => Number(screen.getByRole("button").textContent),
    come: (ids: string, more: { text?: string; question?: string } = {}) =>
      act(() => rerender(<List rows={rowsOf(ids, more.text)} question={more.question} />)),
    look: () => fireEvent.pointerEnter(list()),
    leave: () => fireEvent.pointerLeave(list()),
    show: () => fireEvent.click(screen.getByRole("button")),
  };
}

test("nobody at the list: new rows come by themselves", () => {
  const list = growing("ba");
  list.come("cba");
  expect([list.shown(), list.waiting()]).toEqual(["c b a", 0]);
});

test("somebody at the list: new rows wait, nothing moves, until they are asked for", () => {
  const list = growing("ba");
  list.look();
  list.come("dcba");
  expect([list.shown(), list.waiting()]).toEqual(["b a", 2]);
  list.come("edcba", { text: "!" });
  expect([list.shown(), list.waiting()]).toEqual(["b! a!", 3]);
  list.show();
  expect([list.shown(), list.waiting()]).toEqual(["e! d! c! b! a!", 0]);
});

test("rows that waited come when the reader leaves the list", () => {
  const list = growing("ba");
  list.look();
  list.come("cba");
  list.leave();
  expect([list.shown(), list.waiting()]).toEqual(["c b a", 0]);
});

test("more new rows than were loaded leave those that are read where they are", () => {
  const list = growing("ba");
  list.look();
  list.come("zyx");
  expect([list.shown(), list.waiting()]).toEqual(["b a", 3]);
});

test("rows that are gone leave, later pages follow, and another question brings its own rows", () => {
  const list = growing("cba");
  list.look();
  list.come("ca");
  expect(list.shown()).toBe("c a");
  list.come("ca98");
  expect(list.shown()).toBe("c a 9 8");
  list.come("xyz", { question: "another" });
  expect([list.shown(), list.waiting()]).toEqual(["x y z", 0]);
});
