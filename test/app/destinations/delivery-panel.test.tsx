import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { SessionProvider } from "#app/(dashboard)/_frame/session-context.tsx";
import { DeliveryPanel } from "#app/(dashboard)/destinations/_deliveries/delivery-panel.tsx";
import type { Role } from "#lib/auth/shapes.ts";
import type { DeliveryDetail } from "#lib/destinations/shapes.ts";
import { delivery } from "#test/app/ui/delivery.ts";
import { renderUi } from "#test/app/ui/render.tsx";

const unknown: DeliveryDetail = {
  ...delivery,
  state: "unknown",
  code: "outcome_unknown",
  reason: "Zendesk did not answer in time.",
  fix: "Look in Zendesk whether it has happened. Replay looks again first and writes nothing twice.",
  event: null,
  actionVersion: 1,
  command: { fields: {}, unmapped: {} },
  exchanges: [],
  approved: null,
  affectedTickets: null,
};

afterEach(() => vi.unstubAllGlobals());

async function openPanel(shown: DeliveryDetail, role: Role) {
  vi.stubGlobal("fetch", async () => Response.json(shown));
  const user = { id: "1", email: "ada@example.com", name: null, role };
  renderUi(
    <SessionProvider session={{ user, workspace: { id: "1", name: "Acme", demo: false } }}>
      <DeliveryPanel id={shown.id} onClose={() => {}} />
    </SessionProvider>,
  );
  const panel = await screen.findByRole("dialog");
  await within(panel).findByText(shown.fix ?? "");
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

const failed: DeliveryDetail = {
  ...unknown,
  state: "failed",
  code: "missing_field",
  reason: "Zendesk has no field plan.",
};
const buttons = (panel: Awaited<ReturnType<typeof openPanel>>) =>
  panel.getAllByRole("button").map(({ textContent }) => textContent);

test("a dead letter can be discarded by an administrator; what was discarded can only be replayed", async () => {
  expect(buttons(await openPanel(failed, "admin"))).toEqual(expect.arrayContaining(["Replay", "Discard"]));
  cleanup();
  expect(buttons(await openPanel(failed, "csm"))).not.toContain("Discard");
  cleanup();
  const discarded = buttons(await openPanel({ ...failed, code: "discarded" }, "admin"));
  expect(discarded).toContain("Replay");
  expect(discarded).not.toContain("Discard");
});

test("a dead letter of nobody can be approved where it has an e-mail, and says that it creates the user (C-31)", async () => {
  const nobody = {
    ...failed,
    code: "user_not_found",
    command: { fields: { "user.external_id": "u-1" }, unmapped: {} },
  };
  expect(buttons(await openPanel(nobody, "admin"))).not.toContain("Approve");
  cleanup();
  const fields = { ...nobody.command.fields, "user.email": "ada@example.com" };
  const panel = await openPanel({ ...nobody, command: { fields, unmapped: {} } }, "admin");
  fireEvent.click(panel.getByRole("button", { name: "Approve" }));
  expect((await screen.findByRole("alertdialog")).textContent).toMatch(/^Create this user in Zendesk\?.*e-mail/);
});

const held: DeliveryDetail = {
  ...unknown,
  state: "held",
  code: "ambiguous_user",
  reason: "Two users have this e-mail.",
};
const word = { by: "ada@example.com", at: "2026-11-22T08:02:00Z" };

test("approving what only Zendesk can tell says that it is looked up again, and a removal how many tickets it costs", async () => {
  const ask = async (delivery: DeliveryDetail) => {
    cleanup();
    fireEvent.click((await openPanel(delivery, "admin")).getByRole("button", { name: "Approve" }));
    return (await screen.findByRole("alertdialog")).textContent;
  };
  expect(await ask(held)).toMatch(/Have it looked up again\?.*held again/);
  expect(await ask({ ...held, code: "unknown_traits" })).toMatch(/^Approve this\?(?!.*again)/);
  const removal = {
    ...held,
    code: "removal",
    affectedTickets: [{ id: "7", subject: "Printer", status: "open", url: "https://acme.example/7" }],
  };
  expect(await ask(removal)).toMatch(/^Approve, though 1 working ticket is unassigned\?/);
});

test.for([
  ["ambiguous_user", /^Looked up again after it was approved by ada@example.com .*: it stands as before\.$/],
  ["removal", /^Approved for another reason by ada@example.com .*; this one needs a word of its own\.$/],
] as const)("what is held again after a word about %s says so", async ([code, words]) => {
  const panel = await openPanel({ ...held, approved: { ...word, codes: [code] } }, "admin");
  expect(panel.getByText(/ada@example.com/).textContent).toMatch(words);
});
