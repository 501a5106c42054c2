import { expect, test } from "vitest";
import { GET as fields } from "#app/api/v1/connections/[id]/fields/route.ts";
import { useGround } from "#test/connections/ground.ts";

const { api, connect, settled } = useGround();

test("the custom fields in use are listed with the page on which Zendesk defines them, as they were read last (C-19)", async () => {
  const connected = await connect("fields", {
    before: ({ definitions }) => {
      definitions.createField("user", { key: "plan_tier", title: "Plan tier" });
      definitions.createField("user", { key: "old_tier", active: false });
      definitions.createField("user", { key: "birthday", type: "date" });
      definitions.createField("organization", { key: "region", type: "dropdown" });
      definitions.createField("ticket", { key: "order_number", title: "Order number", type: "integer" });
    },
  });
  await settled(connected);
  const list = async (query: string) => (await api.call(fields, `${connected.path}/fields?${query}`, connected)).body;

  const first = await list("subject=user&limit=1");
  expect(first.items).toEqual([{ key: "birthday", title: "birthday", type: "date" }]);
  const second = await list(`subject=user&limit=1&cursor=${first.nextCursor}`);
  expect([second.items, second.nextCursor]).toEqual([[{ key: "plan_tier", title: "Plan tier", type: "text" }], null]);
  expect(first.definedAt).toMatch(/\/fields\/admin\/people\/configuration\/user_fields$/);

  const organization = await list("subject=organization");
  expect(organization.items.map(({ key }: { key: string }) => key)).toEqual(["region"]);
  expect(organization.definedAt).toMatch(/\/organization_fields$/);
  const ticket = await list("subject=ticket");
  expect(ticket.items).toEqual([{ key: expect.stringMatching(/^\d+$/), title: "Order number", type: "integer" }]);
  expect(ticket.definedAt).toMatch(/\/ticket-fields$/);

  const elsewhere = await connect("elsewhere");
  const foreign = await api.call(fields, `${connected.path}/fields?subject=user`, elsewhere);
  expect([foreign.status, foreign.error?.code]).toEqual([404, "not_found"]);
});
