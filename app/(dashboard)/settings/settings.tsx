"use client";

import { parseAsStringLiteral, useQueryState } from "nuqs";
import { Tabs } from "#app/_ui/tabs.tsx";
import { Screen } from "#app/(dashboard)/_frame/screen.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { AccountsImport } from "./accounts-import.tsx";
import { ApiKeys } from "./api-keys.tsx";
import { Dictionary } from "./dictionary.tsx";
import { Users } from "./users.tsx";
import { Workspace } from "./workspace.tsx";

const tabs = ["workspace", "accounts", "users", "keys", "metrics"] as const;

/** Settings of the workspace; what only administrators may change is shown to them alone. */
export function Settings() {
  const { user } = useSession();
  const [tab, setTab] = useQueryState("tab", parseAsStringLiteral(tabs).withDefault("workspace"));
  const admin = user.role === "admin";
  const shown = [
    { value: "workspace", label: "Workspace", content: <Workspace editable={admin} /> },
    ...(admin
      ? [
          { value: "accounts", label: "Accounts", content: <AccountsImport /> },
          { value: "users", label: "People", content: <Users /> },
          { value: "keys", label: "API keys", content: <ApiKeys /> },
        ]
      : []),
    { value: "metrics", label: "Metric dictionary", content: <Dictionary /> },
  ];
  return (
    <Screen title="Settings">
      <Tabs
        label="Settings"
        value={shown.some(({ value }) => value === tab) ? tab : "workspace"}
        onChange={(next) => void setTab(next as (typeof tabs)[number])}
        tabs={shown}
      />
    </Screen>
  );
}
