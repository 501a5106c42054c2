import { fireEvent, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { PreviewItem } from "#app/_queries/destinations.ts";
import { ActionResult } from "#app/(dashboard)/destinations/[destinationId]/actions/action-result.tsx";
import { settingsOf } from "#lib/destinations/profiles.ts";
import { renderUi } from "#test/app/ui/render.tsx";

const item: PreviewItem = {
  key: "upsert_user",
  enabled: true,
  triggered: true,
  fields: {},
  creation: {},
  unmapped: { planTier: "gold" },
  problems: [],
};

afterEach(() => vi.unstubAllGlobals());

test("a trait is mapped to the field that Zendesk would name after it, from wherever the action looks for traits", async () => {
  vi.stubGlobal("fetch", async () => Response.json({ id: "7", settings: settingsOf("customerio") }));
  const added = vi.fn();
  renderUi(<ActionResult destinationId="7" item={item} onAddRule={added} />);
  fireEvent.click(await screen.findByRole("button", { name: "Map planTier" }));
  expect(added).toHaveBeenCalledExactlyOnceWith("upsert_user", {
    to: "user_fields.plan_tier",
    from: "$.traits.planTier | $.context.traits.planTier",
  });
});
