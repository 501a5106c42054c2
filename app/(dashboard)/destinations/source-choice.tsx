"use client";

import { useQuery } from "@tanstack/react-query";
import { sourceQueries } from "#app/_queries/sources.ts";
import { Checkbox } from "#app/_ui/checkbox.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";

type SourceChoiceProps = {
  connectionId: string | null;
  /** The destination itself, once it exists: its own sources are not another's. */
  destinationId?: string;
  chosen: readonly string[];
  onChange: (sourceIds: string[]) => void;
  disabled?: boolean;
};

/** Sources that a destination can take events of; why not the others, as the API tells (C-3). */
export function SourceChoice({ connectionId, destinationId, chosen, onChange, disabled }: SourceChoiceProps) {
  const sources = useQuery(sourceQueries.eligible({ connectionId, destinationId }));
  const toggle = (id: string, checked: boolean) =>
    onChange(checked ? [...chosen, id] : chosen.filter((one) => one !== id));
  return (
    <QueryStates
      query={sources}
      what="the sources"
      skeleton={<SkeletonLines lines={3} />}
      isEmpty={({ items }) => items.length === 0}
      empty={
        <p className="text-table text-muted">
          There is no source yet. Add one on the overview, now or later; a destination without sources takes no events.
        </p>
      }
    >
      {({ items }) => (
        <ul aria-label="Sources" className="flex flex-col gap-2">
          {items.map((source) => {
            const isChosen = chosen.includes(source.id);
            return (
              <li key={source.id}>
                <Checkbox
                  label={source.name}
                  checked={isChosen}
                  disabled={disabled || (source.ineligible !== null && !isChosen)}
                  onChange={(checked) => toggle(source.id, checked)}
                  hint={
                    source.ineligible ??
                    (!source.enabled ? (
                      "It is switched off: its keys are refused."
                    ) : source.lastEventAt ? (
                      <>
                        last event <RelativeTime at={source.lastEventAt} />
                      </>
                    ) : (
                      "no event yet"
                    ))
                  }
                />
              </li>
            );
          })}
        </ul>
      )}
    </QueryStates>
  );
}
