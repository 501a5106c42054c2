import { fireEvent, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { PreviewItem } from "#app/_queries/destinations.ts";
import { ActionResult } from "#app/(dashboard)/destinations/[destinationId]/actions/action-result.tsx";
import { snakeCase } from "#lib/destinations/procedures/field-values.ts";
import { settingsOf } from "#lib/destinations/profiles.ts";
import { renderUi } from "#test/app/ui/render.tsx";

const item: PreviewItem = {
  key: "upsert_user",
  enabled: true,
  triggered: true,
  fields: {},
  creation: {},
  unmapped: { planTier: "gold", shoeSize: 44 },
  problems: [],
};

afterEach(() => vi.unstubAllGlobals());

const answers: Record<string, unknown> = {
  "/api/v1/destinations/7": { id: "7", connectionId: "3", settings: settingsOf("customerio") },
  "/api/v1/connections/3/fields": {
    items: [{ key: "plan_tier", title: "Plan tier", type: "text" }],
    nextCursor: null,
    definedAt: "https://acme.example/admin/people/configuration/user_fields",
  },
};
const answered = () =>
  vi.stubGlobal("fetch", async (url: string) => Response.json(answers[new URL(url, "http://here").pathname]));

test("a trait that no rule names says which field it goes to, or that there is none, with the way to define it (C-19, C-39)", async () => {
  answered();
  renderUi(<ActionResult destinationId="7" item={item} />);
  expect(await screen.findByText("to Plan tier (plan_tier)")).toBeTruthy();
  expect(screen.getByText("no field shoe_size when Zendesk was read last")).toBeTruthy();
  expect(screen.getByRole("link", { name: /^Its user fields/ }).getAttribute("href")).toBe(
    "https://acme.example/admin/people/configuration/user_fields",
  );
});

test("a trait whose field another one fills is said to be left out, and one in other letters to be its own", async () => {
  answered();
  const unmapped = { plan_tier: "gold", planTier: "silver", 会社: "Acme", jobTitle: "CEO" };
  const fields = { "user_fields.job_title": "CTO" };
  renderUi(<ActionResult destinationId="7" item={{ ...item, fields, unmapped }} />);
  expect(await screen.findByText("to Plan tier (plan_tier)")).toBeTruthy();
  expect(screen.getByText("left out: for the field plan_tier, plan_tier counts")).toBeTruthy();
  expect(screen.getByText("left out: for the field job_title, job_title counts")).toBeTruthy();
  expect(screen.getByText(`no field ${snakeCase("会社")} when Zendesk was read last`)).toBeTruthy();
});

test("a trait is mapped to the field that Zendesk would name after it, from wherever the action looks for traits", async () => {
  answered();
  const added = vi.fn();
  renderUi(<ActionResult destinationId="7" item={item} onAddRule={added} />);
  fireEvent.click(await screen.findByRole("button", { name: "Map planTier" }));
  expect(added).toHaveBeenCalledExactlyOnceWith("upsert_user", {
    to: "user_fields.plan_tier",
    from: "$.traits.planTier | $.context.traits.planTier",
  });
});
