import { fireEvent, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { TestResult } from "#app/(dashboard)/destinations/[destinationId]/test-result.tsx";
import { TryEvent } from "#app/(dashboard)/destinations/[destinationId]/try-event.tsx";
import { Signed } from "#test/app/destinations/signed.tsx";
import { delivery } from "#test/app/ui/delivery.ts";
import { destination } from "#test/app/ui/destination.ts";
import { renderUi } from "#test/app/ui/render.tsx";

afterEach(() => vi.unstubAllGlobals());

test.for([
  ["done", false, "The sample was sent"],
  ["queued", true, "The sample is queued until the destination is started again"],
  ["queued", false, "The sample is queued"],
] as const)("a sample that is %s (stopped: %s) is called what it is", async ([state, isStopped, title]) => {
  vi.stubGlobal("fetch", async () => Response.json({ ...delivery, state }));
  renderUi(<TestResult answer={{ messageId: "test-1", deliveries: [{ ...delivery, state }] }} isStopped={isStopped} />);
  expect((await screen.findByText(title)).textContent).toMatch(new RegExp(`${title}$`));
});

test("before a sample is sent through a stopped destination it is said that it will wait", async () => {
  renderUi(
    <Signed>
      <TryEvent destination={destination({ state: "stopped" })} />
    </Signed>,
  );
  fireEvent.click(screen.getByRole("button", { name: "Send the sample" }));
  expect((await screen.findByRole("alertdialog")).textContent).toMatch(/stopped: the sample is queued, and sent when/);
});
