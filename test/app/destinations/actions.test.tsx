import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import type { ActionDraft } from "#app/(dashboard)/destinations/[destinationId]/actions/action-draft.ts";
import { Actions } from "#app/(dashboard)/destinations/[destinationId]/actions/actions.tsx";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import { type Action, actionKeys } from "#lib/destinations/shapes.ts";
import { Signed } from "#test/app/destinations/signed.tsx";
import { destination } from "#test/app/ui/destination.ts";
import { renderUi } from "#test/app/ui/render.tsx";

afterEach(() => vi.unstubAllGlobals());

const stored = (version = 3): Action[] =>
  actionKeys.map((key, position) => ({
    ...{ key, enabled: true, position, version, changedAt: "2026-11-22T08:00:00Z", changedBy: "bob@example.com" },
    ...{ name: actionDefinitions[key].name, description: "", ...actionDefinitions[key].defaults.customerio },
  }));

function Edited() {
  const [draft, setDraft] = useState<readonly ActionDraft[] | null>(null);
  return <Actions destinationId="7" draft={draft} onDraft={setDraft} />;
}

type Refusal = { code: string; message: string; details: { path: string; message: string }[] };

/** The editor with the first action open; what is put is kept, and refused with `saving`. */
function open({ saving, preview }: { saving?: Refusal; preview?: () => Refusal | null }) {
  const put: unknown[] = [];
  const kept = { actions: stored() };
  vi.stubGlobal("fetch", async (url: string, { method, body }: RequestInit) => {
    if (method === "PUT") {
      put.push(JSON.parse(String(body)));
      return Response.json({ error: saving }, { status: saving?.code === "conflict" ? 409 : 422 });
    }
    if (url.includes("/preview")) {
      const error = preview?.();
      return error ? Response.json({ error }, { status: 422 }) : Response.json({ items: [] });
    }
    if (url.endsWith("/actions")) return Response.json(kept.actions);
    if (url.includes("/versions")) return Response.json({ items: [...stored(), ...stored(2)], nextCursor: null });
    if (url.includes("/destinations/7")) return Response.json(destination());
    return Response.json({ items: [], nextCursor: null });
  });
  renderUi(
    <Signed>
      <Edited />
    </Signed>,
    { search: "?action=upsert_user" },
  );
  return { put, kept };
}

const email = () => screen.findByRole("combobox", { name: "Path of email" });
const saveButton = () => screen.getByRole("button", { name: "Save the actions" });

test("a path that is refused is marked at its field and named in words, also in the preview, until it is right", async () => {
  const message = "must begin with $, as in $.traits.email, and is “traits.mail”";
  const refusal = { code: "invalid", message: `actions.0.mapping.1.from ${message}` };
  const isWrong = () => screen.queryByDisplayValue("traits.mail") !== null;
  open({
    saving: { ...refusal, details: [{ path: "0.mapping.1.from", message }] },
    preview: () => (isWrong() ? { ...refusal, details: [{ path: "actions.0.mapping.1.from", message }] } : null),
  });
  fireEvent.change(await email(), { target: { value: "traits.mail" } });
  await screen.findByText("No preview: correct what is named here.");
  fireEvent.click(saveButton());
  await screen.findByText("Not saved: correct what is named here.");
  await waitFor(() =>
    expect(screen.getAllByText(`Create or update user, mapping of email: ${message}`)).toHaveLength(2),
  );
  expect(screen.queryByText(/0\.mapping/)).toBeNull();
  expect((await email()).getAttribute("aria-invalid")).toBe("true");
  fireEvent.change(await email(), { target: { value: "$.traits.mail" } });
  expect(screen.queryByText("Not saved: correct what is named here.")).toBeNull();
  const field = await email();
  await waitFor(() => expect(field.getAttribute("aria-invalid")).toBeNull());
  expect(screen.queryByText("No preview: correct what is named here.")).toBeNull();
});

test("what somebody else changed meanwhile is not overwritten: the draft stays until what is stored is loaded", async () => {
  const message = "“Create or update user” was changed by bob@example.com on 2026-11-22 08:05 UTC. Nothing was saved.";
  const { put, kept } = open({ saving: { code: "conflict", message, details: [] } });
  fireEvent.change(await email(), { target: { value: "$.traits.ours" } });
  kept.actions = stored(4);
  fireEvent.click(saveButton());
  const notice = (await screen.findByText(/was changed by bob@example.com/)).closest<HTMLElement>('[role="alert"]');
  expect(put).toEqual([expect.arrayContaining([expect.objectContaining({ key: "upsert_user", expectedVersion: 3 })])]);
  expect(await screen.findByDisplayValue("$.traits.ours")).toBeTruthy();
  // The refusal had the stored ones read again: the draft still stands on what it was made of.
  fireEvent.click(saveButton());
  await waitFor(() => expect(put).toHaveLength(2));
  expect(put[1]).toEqual(put[0]);
  fireEvent.click(await within(notice ?? document.body).findByRole("button", { name: "Load what is stored" }));
  expect(await screen.findByDisplayValue("$.traits.email")).toBeTruthy();
  expect(screen.queryByText(/was changed by bob/)).toBeNull();
});

test("the history marks what holds now, and offers the former versions alone", async () => {
  open({});
  fireEvent.click(await screen.findByRole("button", { name: "History" }));
  expect(await screen.findAllByText("holds now")).toHaveLength(6);
  expect(screen.getByRole("button", { name: "Take over version 2 of Create ticket" })).toBeTruthy();
  expect(screen.queryByRole("button", { name: /Take over version 3/ })).toBeNull();
});
