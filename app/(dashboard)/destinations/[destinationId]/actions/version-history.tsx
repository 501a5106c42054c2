"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { destinationQueries } from "#app/_queries/destinations.ts";
import { Badge } from "#app/_ui/badge.tsx";
import { Button } from "#app/_ui/button.tsx";
import { Empty } from "#app/_ui/empty.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { SidePanel } from "#app/_ui/side-panel.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import type { Action } from "#lib/destinations/shapes.ts";
import { changesOf } from "./action-draft.ts";

type VersionHistoryProps = {
  destinationId: string;
  /** As they are saved now. */
  present: readonly Action[];
  onClose: () => void;
  /** Given to those who may save it again. */
  onTake?: (version: Action) => void;
};

/** What was changed, by whom and when; any version can be taken over into what is being edited. */
export function VersionHistory({ destinationId, present, onClose, onTake }: VersionHistoryProps) {
  const isPresent = ({ key, version }: Action) => present.some((one) => one.key === key && one.version === version);
  const versions = useInfiniteQuery(destinationQueries.versions(destinationId));
  const items = versions.data?.pages.flatMap((page) => page.items);
  return (
    <SidePanel open onClose={onClose} title="History of the actions" description="Newest first">
      <QueryStates
        query={{ ...versions, data: items }}
        what="the versions"
        skeleton={<SkeletonLines lines={8} />}
        isEmpty={(list) => list.length === 0}
        empty={<Empty kind="none" title="The actions were never changed" />}
        className="px-4 py-2"
      >
        {(list) => (
          <ul className="divide-y divide-line">
            {list.map((version, at) => (
              <li key={`${version.key} ${version.version}`} className="flex flex-wrap items-start gap-x-4 gap-y-1 py-3">
                <div className="min-w-0 flex-1 basis-60">
                  <p>
                    <span className="font-medium">{version.name}</span>{" "}
                    <span className="text-table text-muted">
                      version {version.version} · <RelativeTime at={version.changedAt} />
                      {version.changedBy && ` · ${version.changedBy}`}
                    </span>
                    {isPresent(version) && <Badge>holds now</Badge>}
                  </p>
                  <ul className="text-table text-muted">
                    {changesOf(version, formerOf(version, list.slice(at + 1))).map((change) => (
                      <li key={change} className="break-words">
                        {change}
                      </li>
                    ))}
                  </ul>
                </div>
                {onTake && !isPresent(version) && (
                  <Button
                    size="sm"
                    aria-label={`Take over version ${version.version} of ${version.name}`}
                    onClick={() => onTake(version)}
                  >
                    Take over
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </QueryStates>
      {versions.hasNextPage && (
        <div className="px-4 pb-4">
          <Button variant="ghost" busy={versions.isFetchingNextPage} onClick={() => void versions.fetchNextPage()}>
            Show earlier
          </Button>
        </div>
      )}
    </SidePanel>
  );
}

const formerOf = ({ key, version }: Action, older: readonly Action[]) =>
  older.find((one) => one.key === key && one.version === version - 1);
