"use client";

import { useQuery } from "@tanstack/react-query";
import { accountQueries } from "#app/_queries/accounts.ts";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";

/** Every metric's definition and version, as the numbers are computed. */
export function Dictionary() {
  const dictionary = useQuery(accountQueries.dictionary());
  return (
    <div className="max-w-3xl">
      <QueryStates query={dictionary} what="the definitions" skeleton={<SkeletonLines lines={8} />}>
        {({ items }) => (
          <dl className="-mt-2 divide-y divide-line border-b border-line">
            {items.map(({ key, name, version, definition, windowed }) => (
              <div key={key} className="py-2">
                <dt className="flex items-baseline gap-2">
                  <span className="font-medium">{name}</span>
                  <code className="text-small text-muted">{key}</code>
                  <span className="ms-auto text-small text-muted">
                    version {version} · {windowed ? "per window" : "now"}
                  </span>
                </dt>
                <dd>{definition}</dd>
              </div>
            ))}
          </dl>
        )}
      </QueryStates>
    </div>
  );
}
