"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type FocusEventHandler, useState } from "react";
import { accountQueries } from "#app/_queries/accounts.ts";
import { Button } from "#app/_ui/button.tsx";
import { cn } from "#app/_ui/class-names.ts";
import { Combobox } from "#app/_ui/combobox.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Num } from "#app/_ui/num.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import type { OrganizationItem } from "#lib/matching/shapes.ts";
import type { Decisions } from "./use-decision.ts";

type OrganizationRowProps = {
  organization: OrganizationItem;
  decisions: Decisions;
  editable: boolean;
  /** The keys `a` and `i` act on this one. */
  current: boolean;
  onFocus: FocusEventHandler;
};

/** One organization: what it is, why it stands where it does, suggestions with their evidence, and the decision. */
export function OrganizationRow({ organization, decisions, editable, current, onFocus }: OrganizationRowProps) {
  const { name, externalId, domainNames, tickets, account, reason, decidedBy } = organization;
  const marks = [externalId, ...domainNames.slice(0, 3)].filter(Boolean).join(" · ");
  return (
    <li
      data-organization={organization.organizationId}
      tabIndex={-1}
      data-focus="inset"
      onFocus={onFocus}
      className={cn("-mx-2 px-2 py-2 focus-visible:outline-none", current && "bg-accent-soft")}
    >
      <div className="flex items-baseline gap-2">
        <span className="truncate font-medium">{name || `Organization ${organization.organizationId}`}</span>
        <span className="truncate text-table text-muted">{marks}</span>
        <span className="ms-auto shrink-0 text-table text-muted tabular-nums">
          <Num value={tickets} /> {tickets === 1 ? "ticket" : "tickets"}
        </span>
      </div>
      <p className="text-table text-muted">
        {account && (
          <>
            <Link href={`/accounts/${account.id}`}>{account.name}</Link> ·{" "}
          </>
        )}
        {reason}
        {decidedBy?.type === "person" && (
          <>
            {" "}
            (<RelativeTime at={decidedBy.at} />)
          </>
        )}
      </p>
      {editable && <Choices organization={organization} decisions={decisions} />}
    </li>
  );
}

/** What a person can say: one of the suggestions, another account, "ignore", or "as it was". */
function Choices({ organization, decisions }: Pick<OrganizationRowProps, "organization" | "decisions">) {
  const { state, candidates, decidedBy } = organization;
  const { match, ignore, takeBack, busy } = decisions;
  return (
    <div className="mt-1 flex flex-wrap items-center gap-2">
      {candidates.slice(0, 4).map((candidate) => (
        <Button
          key={candidate.id}
          size="sm"
          disabled={busy}
          title={candidate.evidence}
          className="max-w-full min-w-0 shrink xl:max-w-[calc(100%-264px)]"
          onClick={() => match(organization, candidate)}
        >
          <span className="shrink-0">{candidate.name}</span>
          <span className="truncate font-normal text-muted">
            {candidate.externalId} · {candidate.evidence}
          </span>
        </Button>
      ))}
      {state !== "matched" && <AccountChoice busy={busy} onChoose={(account) => match(organization, account)} />}
      {state !== "ignored" && (
        <Button size="sm" variant="ghost" disabled={busy} onClick={() => ignore(organization)}>
          Ignore
        </Button>
      )}
      {decidedBy?.type === "person" && (
        <Button size="sm" variant="ghost" disabled={busy} onClick={() => takeBack(organization)}>
          Take the decision back
        </Button>
      )}
    </div>
  );
}

type AccountChoiceProps = { busy: boolean; onChoose: (account: { id: string; name: string }) => void };

/** Any account, found by typing its name. */
function AccountChoice({ busy, onChoose }: AccountChoiceProps) {
  const [typed, setTyped] = useState("");
  const found = useQuery({
    ...accountQueries.byName(typed.trim()),
    enabled: typed.trim().length >= 2,
    placeholderData: keepPreviousData,
  });
  const accounts = found.data?.items ?? [];
  return (
    <Combobox
      label="Another account"
      labelHidden
      placeholder="Another account…"
      disabled={busy}
      value={null}
      onChange={(id) => {
        const account = accounts.find((one) => one.id === id);
        if (account) onChoose(account);
      }}
      options={accounts.map(({ id, name, externalId }) => ({ value: id, label: name, detail: externalId }))}
      onQueryChange={setTyped}
      loading={found.isFetching}
      emptyText={typed.trim().length < 2 ? "Type two letters" : "No account has this name"}
      className="h-7 w-44 border-line px-2 text-table hover:bg-hover"
    />
  );
}
