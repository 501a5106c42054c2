"use client";

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useRouter } from "next/navigation";
import { parseAsInteger, parseAsString, useQueryState } from "nuqs";
import { useCallback, useMemo } from "react";
import { accountQueries, portfolioCsv } from "#app/_queries/accounts.ts";
import { connectionQueries } from "#app/_queries/connections.ts";
import { workspaceQueries } from "#app/_queries/workspace.ts";
import { Button } from "#app/_ui/button.tsx";
import { Combobox } from "#app/_ui/combobox.tsx";
import { ColumnChooser } from "#app/_ui/data-table/column-chooser.tsx";
import { DataTable } from "#app/_ui/data-table/data-table.tsx";
import { useSteadyRows } from "#app/_ui/data-table/steady-rows.ts";
import { useUrlTableView } from "#app/_ui/data-table/url-view.ts";
import { shownColumns } from "#app/_ui/data-table/view.ts";
import { FilterBar } from "#app/_ui/filter-bar.tsx";
import { Link } from "#app/_ui/link.tsx";
import { useLocale } from "#app/_ui/locale.tsx";
import { useMediaQuery } from "#app/_ui/media-query.ts";
import { useCount } from "#app/_ui/num.tsx";
import { SearchField } from "#app/_ui/search-field.tsx";
import { Segmented } from "#app/_ui/segmented.tsx";
import { calendarDayWords } from "#app/_ui/time-words.ts";
import { firstReads } from "#app/(dashboard)/_frame/freshness.ts";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { accountColumns } from "#app/(dashboard)/_portfolio/account-columns.tsx";
import { EmptyPortfolio } from "#app/(dashboard)/_portfolio/empty-portfolio.tsx";
import { Feed } from "#app/(dashboard)/_portfolio/feed.tsx";
import { windowWords } from "#app/(dashboard)/_tickets/metric-words.ts";
import { useOpenNumber } from "#app/(dashboard)/_tickets/open-number.ts";
import { TicketPanel } from "#app/(dashboard)/_tickets/ticket-panel.tsx";
import type { AccountItem, AccountSort } from "#lib/accounts/shapes.ts";
import type { MetricKey } from "#lib/metrics/shapes.ts";

const DEFAULT_SORT: AccountSort = "-topUnsolved";
const idOf = ({ id }: AccountItem) => id;

/** The book of accounts with every metric, and beside it what happened. The whole state is in the URL. */
export function Portfolio() {
  const router = useRouter();
  const locale = useLocale();
  const count = useCount();
  const { user } = useSession();
  const [view, setView] = useUrlTableView(DEFAULT_SORT);
  const [q, setQ] = useQueryState("q", parseAsString.withDefault(""));
  const [ownerEmail, setOwnerEmail] = useQueryState("owner", parseAsString.withDefault(""));
  const [wantedWindow, setWindow] = useQueryState("window", parseAsInteger);
  const { metric, accountId, open, close } = useOpenNumber();

  const settings = useQuery(workspaceQueries.settings());
  const owners = useQuery(accountQueries.owners());
  const windows = settings.data?.windows ?? [];
  const windowDays = wantedWindow !== null && windows.includes(wantedWindow) ? wantedWindow : undefined;
  const filters = { windowDays, sort: (view.sort ?? DEFAULT_SORT) as AccountSort, q, ownerEmail };
  const accounts = useInfiniteQuery(accountQueries.portfolio(filters));
  const sorted = useMemo(() => accounts.data?.pages.flatMap((page) => page.items), [accounts.data]);
  const connections = useQuery(connectionQueries.list());
  const steady = useSteadyRows({
    rows: sorted,
    rowId: idOf,
    question: JSON.stringify(filters),
    stale: accounts.isPlaceholderData,
  });
  // While everything is still on its way, an order of before says nothing.
  const reading = firstReads(connections.data?.items ?? []).length > 0;
  const { rows, sortAgain } = reading ? { rows: sorted, sortAgain: undefined } : steady;
  const shownWindow = rows?.[0]?.metrics.windowDays ?? windowDays ?? (windows.includes(30) ? 30 : windows[0]) ?? 30;

  const listed = rows?.find(({ id }) => id === accountId);
  const elsewhere = useQuery({
    ...accountQueries.one(accountId ?? "", windowDays),
    enabled: accountId !== null && rows !== undefined && !listed,
  });
  const openNumber = useCallback((account: AccountItem, pressed: MetricKey) => open(pressed, account.id), [open]);
  const attributes = useMemo(
    () => [...new Set(rows?.flatMap((account) => Object.keys(account.attributes)))].sort().join("\n"),
    [rows],
  );
  const narrow = useMediaQuery("(max-width: 640px)");
  const minimumRatings = settings.data?.minimumRatings ?? 5;
  const columns = useMemo(
    () =>
      accountColumns({
        windowDays: shownWindow,
        minimumRatings,
        attributes: attributes ? attributes.split("\n") : [],
        narrow,
        onOpenNumber: openNumber,
      }),
    [shownWindow, minimumRatings, attributes, narrow, openNumber],
  );

  const search = useCallback((text: string) => void setQ(text || null), [setQ]);
  const clear = () => {
    void setQ(null);
    void setOwnerEmail(null);
  };
  const filtered = q !== "" || ownerEmail !== "";
  const asOf = rows?.[0]?.metrics.asOf;

  return (
    <>
      {/* Side by side where there is room; on narrow or enlarged screens one under the other, scrolled together. */}
      <div className="flex min-h-0 flex-1 max-lg:flex-col max-lg:overflow-y-auto">
        <div className="flex min-h-0 min-w-0 flex-1 flex-col max-lg:h-[max(60dvh,26rem)] max-lg:flex-none">
          <FilterBar
            label="Filters of the accounts"
            onClear={filtered ? clear : undefined}
            end={
              <>
                <ColumnChooser columns={columns} view={view} onViewChange={setView} />
                <Button asChild>
                  <Link
                    quiet
                    download
                    prefetch={false}
                    className="hover:no-underline"
                    href={portfolioCsv({ ...filters, columns: shownColumns(columns, view.columns).join(",") })}
                  >
                    <Download aria-hidden />
                    CSV
                  </Link>
                </Button>
              </>
            }
          >
            <SearchField label="Search accounts" value={q} onChange={search} />
            <Combobox
              label="Owner"
              inline
              anyLabel="Anyone"
              value={ownerEmail || null}
              onChange={(email) => void setOwnerEmail(email)}
              options={ownerOptions(owners.data?.items ?? [], user.email, count)}
            />
            {windows.length > 0 && (
              <Segmented
                label="Window in days"
                value={String(shownWindow)}
                onChange={(days) => void setWindow(Number(days))}
                options={windows.map((days) => ({ value: String(days), label: String(days), name: windowWords(days) }))}
              />
            )}
          </FilterBar>
          <DataTable
            label="Accounts"
            nouns={["account", "accounts"]}
            columns={columns}
            rows={rows}
            rowId={idOf}
            view={view}
            onViewChange={setView}
            onOpenRow={(account) => router.push(`/accounts/${account.id}`)}
            total={accounts.data?.pages[0]?.total ?? null}
            hasMore={accounts.hasNextPage}
            fetchingMore={accounts.isFetchingNextPage}
            onFetchMore={accounts.fetchNextPage}
            stale={accounts.isPlaceholderData}
            onSortAgain={sortAgain}
            error={accounts.error}
            onRetry={accounts.refetch}
            retrying={accounts.isFetching}
            asOf={
              asOf && settings.data
                ? `${windowWords(shownWindow)} to ${calendarDayWords(asOf, locale)}, ${settings.data.timeZone}`
                : undefined
            }
            empty={<EmptyPortfolio filtered={filtered} onClear={clear} />}
          />
        </div>
        <aside className="flex min-h-0 w-[20.5rem] shrink-0 flex-col border-s border-line max-lg:h-[max(40dvh,20rem)] max-lg:w-full max-lg:border-s-0 max-lg:border-t">
          <Feed ownerEmail={ownerEmail} />
        </aside>
      </div>
      {metric && accountId && (
        <TicketPanel
          accountId={accountId}
          accountName={(listed ?? elsewhere.data)?.name}
          metric={metric}
          windowDays={shownWindow}
          onClose={close}
        />
      )}
    </>
  );
}

type Owner = { email: string; name: string | null; accounts: number };

/** The signed-in person first, as "Me". */
function ownerOptions(owners: readonly Owner[], myEmail: string, count: (value: number) => string) {
  const options = owners.map(({ email, name, accounts }) => ({
    value: email,
    label: name ?? email,
    detail: `${count(accounts)} ${accounts === 1 ? "account" : "accounts"}`,
  }));
  const mine = owners.find(({ email }) => email === myEmail);
  const me = {
    value: myEmail,
    label: "Me",
    detail: `${count(mine?.accounts ?? 0)} ${mine?.accounts === 1 ? "account" : "accounts"}`,
  };
  return [me, ...options.filter(({ value }) => value !== myEmail)];
}
