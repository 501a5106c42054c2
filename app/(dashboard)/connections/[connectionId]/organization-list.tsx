"use client";

import { useRef, useState } from "react";
import { Kbd } from "#app/_ui/kbd.tsx";
import { useShortcut } from "#app/_ui/shortcuts.tsx";
import type { OrganizationItem } from "#lib/matching/shapes.ts";
import { OrganizationRow } from "./organization-row.tsx";
import { useDecision } from "./use-decision.ts";

type OrganizationListProps = {
  connectionId: string;
  organizations: readonly OrganizationItem[];
  editable: boolean;
};

/** The queue, cleared by keys: `j` and `k` move, `a` accepts the first suggestion, `i` ignores. */
export function OrganizationList({ connectionId, organizations, editable }: OrganizationListProps) {
  const decisions = useDecision(connectionId);
  const list = useRef<HTMLUListElement>(null);
  const [place, setPlace] = useState<number | null>(null);
  // Those that are decided leave the list, and the next one takes their place.
  const at = place === null ? null : Math.min(place, organizations.length - 1);
  const current = at === null ? undefined : organizations[at];

  const step = (by: 1 | -1) => {
    const next = at === null ? 0 : Math.min(organizations.length - 1, Math.max(0, at + by));
    setPlace(next);
    const row = list.current?.children[next];
    if (row instanceof HTMLElement) row.focus();
  };
  const decidable = editable && !decisions.busy;
  const accept = () => {
    const suggestion = current?.candidates[0];
    if (decidable && current && suggestion) decisions.match(current, suggestion);
  };
  const ignore = () => {
    if (decidable && current && current.state !== "ignored") decisions.ignore(current);
  };
  useShortcut({ keys: "j", label: "Next organization", run: () => step(1) });
  useShortcut({ keys: "k", label: "Previous organization", run: () => step(-1) });
  useShortcut({ keys: "a", label: "Accept the first suggestion", run: accept, enabled: editable });
  useShortcut({ keys: "i", label: "Ignore the organization", run: ignore, enabled: editable });

  return (
    <>
      <ul ref={list} className="divide-y divide-line border-y border-line">
        {organizations.map((organization, index) => (
          <OrganizationRow
            key={organization.organizationId}
            organization={organization}
            decisions={decisions}
            editable={editable}
            current={index === at}
            onFocus={() => setPlace(index)}
          />
        ))}
      </ul>
      {editable && (
        <p className="flex flex-wrap items-center gap-1.5 pt-2 text-small text-muted max-md:hidden">
          <Kbd keys="j" /> <Kbd keys="k" /> move · <Kbd keys="a" /> accept the first suggestion · <Kbd keys="i" />{" "}
          ignore
        </p>
      )}
    </>
  );
}
