import { fireEvent, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { type QueryLike, QueryStates } from "#app/_ui/query-states.tsx";
import { renderUi } from "./render.tsx";

function show(query: Partial<QueryLike<string[]>>) {
  return renderUi(
    <QueryStates<string[]>
      query={{ data: undefined, error: null, isFetching: false, refetch: () => {}, ...query }}
      what="the list"
      skeleton={<i data-testid="skeleton" />}
      isEmpty={(rows) => rows.length === 0}
      empty={<p>Nothing here</p>}
    >
      {(rows, { stale }) => <p>{`${rows.join(" ")}${stale ? " (old)" : ""}`}</p>}
    </QueryStates>,
  );
}

test("while nothing has come the skeleton stands and the wait is announced", () => {
  show({ isFetching: true });
  expect(screen.getByTestId("skeleton")).toBeTruthy();
  expect(screen.getByRole("status").textContent).toBe("Loading the list…");
});

test("a failed first load says the reason, offers a retry and never says that there is nothing", () => {
  const refetch = vi.fn();
  show({ error: new Error("The server does not answer."), refetch });
  expect(screen.getByRole("alert").textContent).toContain("Could not load the list");
  expect(screen.getByRole("alert").textContent).toContain("The server does not answer.");
  expect(screen.queryByText("Nothing here")).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(refetch).toHaveBeenCalledOnce();
});

test("a failed refresh keeps the old rows under a warning and marks them old", () => {
  show({ data: ["a", "b"], error: new Error("It is busy."), dataUpdatedAt: 1 });
  expect(screen.getByText("a b (old)")).toBeTruthy();
  expect(screen.getByRole("status").textContent).toContain("Could not refresh the list: It is busy.");
});

test("the rows of an earlier question stay, marked old, while those of the present one come", () => {
  const { container } = show({ data: ["a"], isPlaceholderData: true, isFetching: true });
  expect(screen.getByText("a (old)")).toBeTruthy();
  expect(container.querySelector("[data-stale]")).toBeTruthy();
  expect(container.querySelector('[aria-busy="true"]')).toBeTruthy();
});

test("a quiet refetch of the same question marks nothing as old", () => {
  const { container } = show({ data: ["a"], isFetching: true });
  expect(screen.getByText("a")).toBeTruthy();
  expect(container.querySelector("[data-stale]")).toBeNull();
});

test("an empty answer shows the caller's emptiness", () => {
  show({ data: [] });
  expect(screen.getByText("Nothing here")).toBeTruthy();
});
