import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { AppRouterContext, type AppRouterInstance } from "next/dist/shared/lib/app-router-context.shared-runtime.js";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { LeaveGuard } from "#app/(dashboard)/_frame/leave-guard.tsx";
import { ConnectionScreen } from "#app/(dashboard)/connections/[connectionId]/connection-screen.tsx";
import { DestinationWizard } from "#app/(dashboard)/destinations/new/destination-wizard.tsx";
import { Signed } from "#test/app/destinations/signed.tsx";
import { connection } from "#test/app/ui/connection.ts";
import { renderUi } from "#test/app/ui/render.tsx";

afterEach(() => vi.unstubAllGlobals());

const list = (items: object[] = []) => ({ items, nextCursor: null });

/** A screen behind the guard, with the API's answers by a part of their address; gives where it went. */
function open(screenShown: ReactNode, answers: Record<string, object>, search?: string) {
  const gone: string[] = [];
  const router = { push: (href: string) => gone.push(href) } as Partial<AppRouterInstance> as AppRouterInstance;
  vi.stubGlobal("fetch", async (url: string) => {
    const part = Object.keys(answers).find((name) => url.includes(name));
    return Response.json(part === undefined ? list() : answers[part]);
  });
  renderUi(
    <AppRouterContext value={router}>
      <Signed>
        <LeaveGuard>
          {screenShown}
          <a href="/accounts">Accounts</a>
        </LeaveGuard>
      </Signed>
    </AppRouterContext>,
    { search },
  );
  return gone;
}

const question = () => screen.queryByRole("alertdialog", { name: "Leave without saving?" });
const leave = async () => {
  fireEvent.click(screen.getByRole("link", { name: "Accounts" }));
  return screen.findByRole("alertdialog", { name: "Leave without saving?" });
};

test("a destination that was begun is not left by a link or by Cancel without a question", async () => {
  const gone = open(<DestinationWizard />, {});
  fireEvent.click(await screen.findByRole("button", { name: "Cancel" }));
  expect([question(), gone]).toEqual([null, ["/destinations"]]);
  fireEvent.change(screen.getByRole("textbox", { name: "Name here" }), { target: { value: "Desk" } });
  fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
  expect(await screen.findByRole("alertdialog", { name: "Leave without saving?" })).toBeTruthy();
  expect(gone).toEqual(["/destinations"]);
});

test("match keys that are not saved outlast another tab, and are not left without a question", async () => {
  const keys = [{ organizationField: "external_id", accountField: "externalId", normalize: "exact" }];
  const counts = { matched: 0, ambiguous: 0, unmatched: 0, ignored: 0 };
  const gone = open(
    <ConnectionScreen id="c1" />,
    {
      "match-keys/preview": { organizations: 0, byKey: [], ...counts, changes: { gained: 0, lost: 0, moved: 0 } },
      "match-keys": { keys },
      "connections/c1/": list(),
      "connections/c1": connection(),
    },
    "?tab=matching",
  );
  fireEvent.click(await screen.findByRole("button", { name: "Add a key" }));
  const tab = (name: string) => screen.getByRole("tab", { name: new RegExp(`^${name}`) });
  fireEvent.mouseDown(tab("Runs"));
  await waitFor(() => expect(screen.queryByRole("button", { name: "Add a key" })).toBeNull());
  const dialog = await leave();
  fireEvent.click(within(dialog).getByRole("button", { name: "Cancel" }));
  await waitFor(() => expect(question()).toBeNull());
  expect(gone).toEqual([]);
  fireEvent.mouseDown(tab("Matching"));
  fireEvent.click(await screen.findByRole("button", { name: "Undo changes" }));
  await waitFor(() => expect(screen.queryByRole("button", { name: "Undo changes" })).toBeNull());
  fireEvent.click(screen.getByRole("link", { name: "Accounts" }));
  expect(question()).toBeNull();
});
