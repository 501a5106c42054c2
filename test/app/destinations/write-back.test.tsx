import { fireEvent, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import type { WriteBack, WriteBackRule } from "#app/_queries/destinations.ts";
import { WriteBackRules } from "#app/(dashboard)/destinations/[destinationId]/write-back/write-back-rules.tsx";
import { Signed } from "#test/app/destinations/signed.tsx";
import { destination } from "#test/app/ui/destination.ts";
import { renderUi } from "#test/app/ui/render.tsx";

afterEach(() => vi.unstubAllGlobals());

const nothing: WriteBack = { rules: [], pending: { organizations: 0, examples: [] }, tried: { open: 0, failed: 0 } };

function Edited() {
  const [draft, setDraft] = useState<readonly WriteBackRule[] | null>(null);
  return <WriteBackRules destinationId="7" draft={draft} onDraft={setDraft} />;
}

function open(stored: WriteBack, refusal?: object) {
  vi.stubGlobal("fetch", async (url: string, { method }: RequestInit) => {
    if (method === "PUT") return Response.json({ error: refusal }, { status: 422 });
    if (url.includes("/fields"))
      return Response.json({ items: [], nextCursor: null, definedAt: "https://acme.example" });
    return Response.json(url.includes("write-back") ? stored : destination());
  });
  renderUi(
    <Signed>
      <Edited />
    </Signed>,
  );
}

test("numbers that were queued and did not arrive are not told as written, and lead to their deliveries", async () => {
  open({ ...nothing, tried: { open: 1, failed: 341 } });
  expect(
    await screen.findByText(/The last write of 341 organizations failed, that of 1 organization is on its way\./),
  ).toBeTruthy();
  expect(screen.getByRole("link", { name: "Show the deliveries" }).getAttribute("href")).toBe(
    "/destinations/deliveries?destination=7&action=write_back&state=failed",
  );
  expect(screen.queryByText(/Every field holds its number/)).toBeNull();
});

test("a field that is refused is marked with why, until it is changed", async () => {
  const rule = { organizationField: "nowhere", measure: "csat", enabled: true };
  const details = [{ path: "rules.0.organizationField", message: "“nowhere” is no active organization field" }];
  open({ ...nothing, rules: [rule] }, { code: "invalid", message: "rules.0.organizationField raw", details });
  const field = await screen.findByRole("combobox", { name: "Organization field of number 1" });
  fireEvent.change(field, { target: { value: "nowhere2" } });
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(field.getAttribute("aria-invalid")).toBe("true"));
  expect(screen.getByText(/is no active organization field/)).toBeTruthy();
  expect(screen.getByText(/Not saved: see what is said at the marked fields/)).toBeTruthy();
  expect(screen.queryByText(/rules\.0/)).toBeNull();
  fireEvent.change(field, { target: { value: "score" } });
  await waitFor(() => expect(field.getAttribute("aria-invalid")).toBeNull());
  expect(screen.queryByText(/Not saved/)).toBeNull();
});
