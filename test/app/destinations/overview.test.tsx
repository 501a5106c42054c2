import { screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { Overview } from "#app/(dashboard)/destinations/[destinationId]/overview.tsx";
import { Signed } from "#test/app/destinations/signed.tsx";
import { destination } from "#test/app/ui/destination.ts";
import { renderUi } from "#test/app/ui/render.tsx";

afterEach(() => vi.unstubAllGlobals());

test.for([
  ["admin", "A sample went through it. Enable it when you are ready."],
  ["csm", "A sample went through it. An administrator can enable it."],
] as const)("a destination that was tested tells whoever looks what comes next (%s)", async ([role, words]) => {
  vi.stubGlobal("fetch", async () => Response.json({ items: [], nextCursor: null }));
  renderUi(
    <Signed role={role}>
      <Overview destination={destination({ enabled: false, state: "off", testedAt: "2026-11-22T08:00:00Z" })} />
    </Signed>,
  );
  expect(await screen.findByText(words)).toBeTruthy();
});
