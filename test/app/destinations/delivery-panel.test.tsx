import { screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { SessionProvider } from "#app/(dashboard)/_frame/session-context.tsx";
import { DeliveryPanel } from "#app/(dashboard)/destinations/_deliveries/delivery-panel.tsx";
import type { Role } from "#lib/auth/shapes.ts";
import type { DeliveryDetail } from "#lib/destinations/shapes.ts";
import { renderUi } from "#test/app/ui/render.tsx";

const unknown: DeliveryDetail = {
  id: "1",
  messageId: "m-1",
  destination: { id: "7", name: "Desk" },
  action: "upsert_user",
  state: "unknown",
  attempts: 1,
  code: "outcome_unknown",
  reason: "Zendesk did not answer in time.",
  fix: "Look in Zendesk whether it has happened. Replay looks again first and writes nothing twice.",
  notes: [],
  subject: "ann@example.com",
  result: null,
  dueAt: null,
  createdAt: "2026-11-22T08:00:00Z",
  updatedAt: "2026-11-22T08:01:00Z",
  event: null,
  actionVersion: 1,
  command: { fields: {}, unmapped: {} },
  exchanges: [],
  approved: null,
  affectedTickets: null,
};

afterEach(() => vi.unstubAllGlobals());

async function openPanel(delivery: DeliveryDetail, role: Role) {
  vi.stubGlobal("fetch", async () => Response.json(delivery));
  const user = { id: "1", email: "ada@example.com", name: null, role };
  renderUi(
    <SessionProvider session={{ user, workspace: { id: "1", name: "Acme", demo: false } }}>
      <DeliveryPanel id={delivery.id} onClose={() => {}} />
    </SessionProvider>,
  );
  const panel = await screen.findByRole("dialog");
  await within(panel).findByText(delivery.fix ?? "");
  return within(panel);
}

test("what is unknown says why, what to do, and that nobody can approve it", async () => {
  const panel = await openPanel(unknown, "admin");
  expect(panel.getByText(unknown.reason ?? "")).toBeTruthy();
  expect(panel.getByText(/There is nothing to approve: whether it was written is a fact/)).toBeTruthy();
  expect(panel.getAllByRole("button").map(({ textContent }) => textContent)).toEqual(
    expect.arrayContaining(["Replay", "Dry run", "Discard"]),
  );
  expect(panel.queryByRole("button", { name: "Approve" })).toBeNull();
});

test("what to do is shown also while no reason is known", async () => {
  const panel = await openPanel({ ...unknown, reason: null, code: null }, "csm");
  expect(panel.getByText(/There is nothing to approve/)).toBeTruthy();
  expect(panel.queryByRole("button", { name: "Replay" })).toBeNull();
});

test("what is held can be approved, and nothing is said against it", async () => {
  const panel = await openPanel({ ...unknown, state: "held", code: "unknown_traits" }, "admin");
  expect(panel.getByRole("button", { name: "Approve" })).toBeTruthy();
  expect(panel.queryByText(/nothing to approve/)).toBeNull();
});
