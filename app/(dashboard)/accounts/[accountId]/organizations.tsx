"use client";

import { useQuery } from "@tanstack/react-query";
import { accountQueries } from "#app/_queries/accounts.ts";
import { Empty } from "#app/_ui/empty.tsx";
import { Link } from "#app/_ui/link.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";

/** The Zendesk organizations matched to the account, and why. */
export function Organizations({ id }: { id: string }) {
  const organizations = useQuery(accountQueries.organizations(id));
  return (
    <QueryStates
      query={organizations}
      what="the organizations"
      skeleton={<SkeletonLines lines={4} />}
      isEmpty={({ items }) => items.length === 0}
      empty={
        <Empty
          kind="none"
          title="No organization is matched to this account"
          action={<Link href="/connections">Open the connections</Link>}
        >
          Tickets reach an account through the organizations matched to it.
        </Empty>
      }
    >
      {({ items }) => (
        <ul className="divide-y divide-line">
          {items.map((organization) => (
            <li key={`${organization.connectionId}/${organization.organizationId}`} className="py-2">
              <div className="flex items-baseline gap-2">
                <Link quiet external href={organization.url} className="font-medium">
                  {organization.name || `Organization ${organization.organizationId}`}
                </Link>
                <span className="ms-auto text-table text-muted tabular-nums">
                  {organization.tickets} {organization.tickets === 1 ? "ticket" : "tickets"}
                </span>
              </div>
              <p className="text-table text-muted">{organization.reason}</p>
              {organization.domainNames.length > 0 && (
                <p className="text-small text-muted">{organization.domainNames.join(", ")}</p>
              )}
            </li>
          ))}
        </ul>
      )}
    </QueryStates>
  );
}
