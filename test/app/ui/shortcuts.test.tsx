import { fireEvent, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { useShortcut, useSingleKeyShortcuts } from "#app/_ui/shortcuts.tsx";
import { SidePanel } from "#app/_ui/side-panel.tsx";
import { renderUi } from "./render.tsx";

beforeEach(() => localStorage.clear());

function Bound({ keys, run }: { keys: string; run: () => void }) {
  useShortcut({ keys, label: "Do it", run });
  return null;
}
const press = (key: string, more: object = {}) => fireEvent.keyDown(document.body, { key, ...more });

test("a bound key runs, and no longer once its component is gone", () => {
  const run = vi.fn();
  const { rerender } = renderUi(<Bound keys="e" run={run} />);
  press("e");
  rerender(null);
  press("e");
  expect(run).toHaveBeenCalledOnce();
});

test("behind an open panel only the panel's own shortcuts answer", () => {
  const page = vi.fn();
  const panel = vi.fn();
  const both = (open: boolean) => (
    <>
      <Bound keys="e" run={page} />
      <SidePanel title="Panel" open={open} onClose={() => {}}>
        <Bound keys="x" run={panel} />
      </SidePanel>
    </>
  );
  const { rerender } = renderUi(both(true));
  press("e");
  press("x");
  expect([page.mock.calls.length, panel.mock.calls.length]).toEqual([0, 1]);
  rerender(both(false));
  press("e");
  expect(page).toHaveBeenCalledOnce();
});

test("single keys can be switched off; combinations go on", () => {
  const single = vi.fn();
  const combined = vi.fn();
  function Off() {
    const [, setEnabled] = useSingleKeyShortcuts();
    return (
      <button type="button" onClick={() => setEnabled(false)}>
        off
      </button>
    );
  }
  renderUi(
    <>
      <Off />
      <Bound keys="e" run={single} />
      <Bound keys="mod+k" run={combined} />
    </>,
  );
  fireEvent.click(screen.getByRole("button", { name: "off" }));
  press("e");
  press("k", { ctrlKey: true });
  expect([single.mock.calls.length, combined.mock.calls.length]).toEqual([0, 1]);
});

test("a panel opened by state gives the focus back when it closes", async () => {
  const both = (open: boolean) => (
    <>
      <button type="button">opener</button>
      <SidePanel title="Panel" open={open} onClose={() => {}}>
        inside
      </SidePanel>
    </>
  );
  const { rerender } = renderUi(both(false));
  screen.getByText("opener").focus();
  rerender(both(true));
  expect(document.activeElement).toBe(screen.getByRole("dialog", { name: "Panel" }));
  rerender(both(false));
  await vi.waitFor(() => expect(document.activeElement).toBe(screen.getByText("opener")));
});
