"use client";

import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Download, Upload } from "lucide-react";
import { parseAsString, parseAsStringLiteral, useQueryState } from "nuqs";
import { useCallback, useMemo, useRef } from "react";
import { accountQueries } from "#app/_queries/accounts.ts";
import { connectionQueries, importDecisions, organizationsCsv } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { Empty } from "#app/_ui/empty.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { useCount } from "#app/_ui/num.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { SearchField } from "#app/_ui/search-field.tsx";
import { Section } from "#app/_ui/section.tsx";
import { Segmented } from "#app/_ui/segmented.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Connection } from "#lib/connections/shapes.ts";
import { matchStates } from "#lib/matching/shapes.ts";
import { OrganizationList } from "./organization-list.tsx";

const order = [
  "unmatched",
  "ambiguous",
  "ignored",
  "matched",
] as const satisfies readonly (typeof matchStates)[number][];

const stateWords = { unmatched: "Unmatched", ambiguous: "Ambiguous", ignored: "Ignored", matched: "Matched" };

/** Organizations by state, with the reason for each and what a person can do about it. */
export function MatchQueue({ connection }: { connection: Connection }) {
  const count = useCount();
  const { user } = useSession();
  const [state, setState] = useQueryState("match", parseAsStringLiteral(matchStates).withDefault("unmatched"));
  const [q, setQ] = useQueryState("organization", parseAsString.withDefault(""));
  const search = useCallback((text: string) => void setQ(text || null), [setQ]);
  const filters = { state, q };
  const queue = useInfiniteQuery(connectionQueries.organizations(connection.id, filters));
  const items = useMemo(() => queue.data?.pages.flatMap((page) => page.items), [queue.data]);
  return (
    <Section
      title="Organizations"
      actions={
        <>
          <Button asChild size="sm">
            <Link
              quiet
              download
              prefetch={false}
              href={organizationsCsv(connection.id, filters)}
              className="hover:no-underline"
            >
              <Download aria-hidden />
              CSV
            </Link>
          </Button>
          {user.role !== "viewer" && <UploadDecisions connectionId={connection.id} />}
        </>
      }
    >
      <div className="flex flex-wrap items-center gap-2 pb-2">
        <Segmented
          label="State"
          value={state}
          onChange={(next) => void setState(next)}
          options={order.map((value) => ({
            value,
            label: `${stateWords[value]} ${count(connection.matching[value])}`,
          }))}
        />
        <SearchField label="Search organizations" value={q} onChange={search} />
      </div>
      <QueryStates
        query={{ ...queue, data: items }}
        what="the organizations"
        skeleton={<SkeletonLines lines={8} />}
        isEmpty={(list) => list.length === 0}
        empty={<EmptyQueue filtered={q !== ""} state={state} synced={connection.matching.organizations > 0} />}
      >
        {(list) => (
          <OrganizationList connectionId={connection.id} organizations={list} editable={user.role !== "viewer"} />
        )}
      </QueryStates>
      {queue.hasNextPage && (
        <Button variant="ghost" busy={queue.isFetchingNextPage} onClick={() => void queue.fetchNextPage()}>
          Show more
        </Button>
      )}
    </Section>
  );
}

function EmptyQueue({ filtered, state, synced }: { filtered: boolean; state: string; synced: boolean }) {
  if (filtered) {
    return (
      <Empty kind="no-match" title="No organization matches the search">
        It looks at names, external ids and domains.
      </Empty>
    );
  }
  if (!synced) {
    return (
      <Empty kind="still-syncing" title="Organizations have not come yet">
        They appear as the first sync reads them.
      </Empty>
    );
  }
  return <Empty kind="none" title={`No organization is ${state}`} />;
}

/** The unmatched list, corrected in a spreadsheet, comes back here. */
function UploadDecisions({ connectionId }: { connectionId: string }) {
  const count = useCount();
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const upload = useMutation({
    mutationFn: (file: File) => importDecisions(connectionId, file),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: connectionQueries.all() }),
        client.invalidateQueries({ queryKey: accountQueries.all() }),
      ]),
  });
  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".csv,text/csv"
        className="sr-only"
        tabIndex={-1}
        aria-label="Corrected list of organizations"
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file) upload.mutate(file);
          event.target.value = "";
        }}
      />
      <Button size="sm" busy={upload.isPending} onClick={() => input.current?.click()}>
        <Upload aria-hidden />
        Upload corrected list
      </Button>
      {upload.error && <Notice kind="failure" announce title={reasonOf(upload.error)} />}
      {upload.data && (
        <Notice
          kind={upload.data.rejected.length > 0 ? "warning" : "info"}
          announce
          title={`${count(upload.data.decided)} decided, ${count(upload.data.unchanged)} as before, ${count(upload.data.rejected.length)} rejected`}
        >
          {upload.data.rejected.slice(0, 10).map(({ line, message }) => (
            <p key={line}>
              Line {line}: {message}
            </p>
          ))}
        </Notice>
      )}
    </>
  );
}
