import { fireEvent, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Delta } from "#app/_ui/delta.tsx";
import { Flash } from "#app/_ui/flash.tsx";
import { Num } from "#app/_ui/num.tsx";
import { Percent } from "#app/_ui/percent.tsx";
import { renderUi } from "./render.tsx";

test("a percentage stands with its n", () => {
  const { container } = renderUi(<Percent score={71.4} n={14} minimum={5} />);
  expect(container.textContent).toBe("71%n 14");
});

test("below the minimum n no percentage is shown, and the reason is the control's name", () => {
  const { container } = renderUi(<Percent score={100} n={2} minimum={5} nouns={["rating", "ratings"]} />);
  expect(container.textContent).toBe("–n 2");
  expect(screen.getByRole("button", { name: "Not known: Only 2 ratings; at least 5 are needed" })).toBeTruthy();
});

test("a score exactly at the minimum n is shown", () => {
  const { container } = renderUi(<Percent score={40} n={5} minimum={5} />);
  expect(container.textContent).toBe("40%n 5");
});

test("no answers is unknown, not zero per cent", () => {
  const { container } = renderUi(<Percent score={null} n={0} minimum={1} nouns={["rating", "ratings"]} />);
  expect(container.textContent).toBe("–n 0");
  expect(screen.getByRole("button", { name: "Not known: No ratings in this window" })).toBeTruthy();
});

test("a real score of zero is shown as zero", () => {
  const { container } = renderUi(<Percent score={0} n={9} minimum={5} />);
  expect(container.textContent).toBe("0%n 9");
});

test("the source's own reason comes before the small n", () => {
  renderUi(<Percent score={null} n={0} minimum={5} reason="This plan has no ratings" />);
  expect(screen.getByRole("button", { name: "Not known: This plan has no ratings" })).toBeTruthy();
});

test("too few answers to judge still open what there is", () => {
  const open = vi.fn();
  renderUi(<Percent score={50} n={2} minimum={5} onPress={open} />);
  fireEvent.click(screen.getByRole("button"));
  expect(open).toHaveBeenCalledOnce();
});

test("a tap on an unknown number shows its reason", async () => {
  renderUi(<Num value={null} reason="Not read yet" />);
  fireEvent.click(screen.getByRole("button"));
  expect((await screen.findByRole("tooltip")).textContent).toBe("Not read yet");
});

test("a change says both numbers to a screen reader", () => {
  renderUi(<Delta current={41} previous={23} before="the 30 days before" />);
  expect(screen.getByRole("button", { name: "Up by 18: 41 now, 23 in the 30 days before" }).textContent).toBe("▲+18");
});

test("a fall carries a minus sign and a word", () => {
  renderUi(<Delta current={71} previous={78.4} unit="pts" digits={1} />);
  expect(screen.getByRole("button", { name: /^Down by 7.4 pts: 71 now, 78.4 in/ }).textContent).toBe("▼−7.4pts");
});

test("the change is that of the rounded numbers, so that what is shown adds up", () => {
  renderUi(<Delta current={10.4} previous={9.6} />);
  expect(screen.getByRole("button", { name: /^Unchanged: 10/ }).textContent).toBe("±0");
});

test("a change against an unknown number is unknown, not the whole number", () => {
  const { container } = renderUi(<Delta current={41} previous={null} />);
  expect(container.textContent).toBe("–");
});

test("good and bad follow the caller's direction, and without one neither is said", () => {
  const colourOf = (goodWhen?: "up" | "down") => {
    const { unmount } = renderUi(<Delta current={5} previous={3} goodWhen={goodWhen} />);
    const [colour] = ["text-good", "text-bad", "text-muted"].filter((name) =>
      screen.getByRole("button").classList.contains(name),
    );
    unmount();
    return colour;
  };
  expect([colourOf("up"), colourOf("down"), colourOf()]).toEqual(["text-good", "text-bad", "text-muted"]);
});

test("where nothing is known of the ratings, no n is claimed", () => {
  const { container } = renderUi(<Percent score={null} n={0} minimum={1} reason="Ratings are not read yet" />);
  expect(container.textContent).toBe("–");
});

test("a number flashes when it changes, not when it appears and not when another question is asked", () => {
  const flash = (value: number, of: number) => (
    <Flash value={value} of={of}>
      {value}
    </Flash>
  );
  const { container, rerender } = renderUi(flash(1, 30));
  const flashes = () => container.querySelectorAll(".animate-flash").length;
  expect(flashes()).toBe(0);
  rerender(flash(9, 90));
  expect(flashes()).toBe(0);
  rerender(flash(10, 90));
  expect(flashes()).toBe(1);
});
