"use client";

import { useQuery } from "@tanstack/react-query";
import { parseAsInteger, parseAsStringLiteral, useQueryState } from "nuqs";
import { accountQueries } from "#app/_queries/accounts.ts";
import { ApiError } from "#app/_queries/client.ts";
import { workspaceQueries } from "#app/_queries/workspace.ts";
import { Gone } from "#app/_ui/empty.tsx";
import { Link } from "#app/_ui/link.tsx";
import { useLocale } from "#app/_ui/locale.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { Segmented } from "#app/_ui/segmented.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { StatRow, StatSkeleton } from "#app/_ui/stat.tsx";
import { Tabs } from "#app/_ui/tabs.tsx";
import { calendarDayWords } from "#app/_ui/time-words.ts";
import { Screen } from "#app/(dashboard)/_frame/screen.tsx";
import { windowWords } from "#app/(dashboard)/_tickets/metric-words.ts";
import { useOpenNumber } from "#app/(dashboard)/_tickets/open-number.ts";
import { TicketPanel } from "#app/(dashboard)/_tickets/ticket-panel.tsx";
import { AccountFacts } from "./account-facts.tsx";
import { AccountStats } from "./account-stats.tsx";
import { AccountTickets } from "./account-tickets.tsx";
import { AccountTimeline } from "./account-timeline.tsx";
import { AccountTrend } from "./account-trend.tsx";
import { Organizations } from "./organizations.tsx";
import { People } from "./people.tsx";

const tabs = ["timeline", "tickets", "people", "organizations"] as const;
const back = { href: "/", label: "My portfolio" };

/** One account: its numbers in the window chosen, trends, timeline, tickets, people, organizations. */
export function Account({ id }: { id: string }) {
  const locale = useLocale();
  const [wantedWindow, setWindow] = useQueryState("window", parseAsInteger);
  const [tab, setTab] = useQueryState("tab", parseAsStringLiteral(tabs).withDefault("timeline"));
  const { metric, open, close } = useOpenNumber();
  const settings = useQuery(workspaceQueries.settings());
  const windows = settings.data?.windows ?? [];
  const windowDays = wantedWindow !== null && windows.includes(wantedWindow) ? wantedWindow : undefined;
  const account = useQuery(accountQueries.one(id, windowDays));

  if (account.error instanceof ApiError && account.error.status === 404) {
    return (
      <Screen title="Account" back={back}>
        <Gone title="This account does not exist" action={<Link href="/">Back to the portfolio</Link>}>
          It may belong to another workspace, or the address is incomplete.
        </Gone>
      </Screen>
    );
  }

  const minimumRatings = settings.data?.minimumRatings ?? 5;

  return (
    <Screen title={account.data?.name ?? "Account"} back={back}>
      <QueryStates query={account} what="the account" skeleton={<AccountSkeleton />} className="flex flex-col gap-6">
        {(loaded) => (
          <div className="flex flex-col gap-6">
            <div className="flex flex-col gap-3">
              <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
                <AccountFacts account={loaded} />
                {windows.length > 0 && (
                  <Segmented
                    label="Window in days"
                    value={String(loaded.metrics.windowDays)}
                    onChange={(days) => void setWindow(Number(days))}
                    options={windows.map((days) => ({
                      value: String(days),
                      label: String(days),
                      name: windowWords(days),
                    }))}
                  />
                )}
              </div>
              <AccountStats metrics={loaded.metrics} minimumRatings={minimumRatings} onOpenNumber={open} />
              <p className="text-small text-muted">
                {windowWords(loaded.metrics.windowDays)} to {calendarDayWords(loaded.metrics.asOf, locale)},{" "}
                {settings.data?.timeZone}; the change is against the {windowWords(loaded.metrics.windowDays)} before.
              </p>
            </div>
            <div className="grid gap-6 xl:grid-cols-[minmax(0,5fr)_minmax(0,6fr)]">
              <div className="min-w-0 self-start xl:sticky xl:top-0">
                <AccountTrend id={id} minimumRatings={minimumRatings} />
              </div>
              <Tabs
                label="About the account"
                value={tab}
                onChange={(next) => void setTab(next as (typeof tabs)[number])}
                tabs={[
                  { value: "timeline", label: "Timeline", content: <AccountTimeline id={id} /> },
                  {
                    value: "tickets",
                    label: "Tickets",
                    count: loaded.metrics.ticketsTotal,
                    content: <AccountTickets id={id} />,
                  },
                  { value: "people", label: "People", content: <People id={id} /> },
                  {
                    value: "organizations",
                    label: "Organizations",
                    count: loaded.organizations,
                    content: <Organizations id={id} />,
                  },
                ]}
              />
            </div>
          </div>
        )}
      </QueryStates>
      {metric && (
        <TicketPanel
          accountId={id}
          accountName={account.data?.name}
          metric={metric}
          windowDays={account.data?.metrics.windowDays ?? windowDays}
          onClose={close}
        />
      )}
    </Screen>
  );
}

function AccountSkeleton() {
  return (
    <div className="flex flex-col gap-6">
      <SkeletonLines lines={1} />
      <StatRow>
        {["open", "top", "created", "top created", "csat", "csat top"].map((key) => (
          <StatSkeleton key={key} />
        ))}
      </StatRow>
      <SkeletonLines lines={10} />
    </div>
  );
}
