"use client";

import { RadioGroup } from "radix-ui";
import { Empty } from "#app/_ui/empty.tsx";
import { Link } from "#app/_ui/link.tsx";
import { type QueryLike, QueryStates } from "#app/_ui/query-states.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { isOpen, isWritable, WriteGrant } from "#app/(dashboard)/destinations/write-grant.tsx";
import type { List } from "#lib/api/shapes.ts";
import type { Connection } from "#lib/connections/shapes.ts";

type ConnectionChoiceProps = {
  connections: QueryLike<List<Connection>>;
  value: string | null;
  onChange: (id: string) => void;
};

/** The connections that may be written to; of the others why not, and how they may. */
export function ConnectionChoice({ connections, value, onChange }: ConnectionChoiceProps) {
  return (
    <QueryStates
      query={connections}
      what="the connections"
      skeleton={<SkeletonLines lines={3} />}
      isEmpty={({ items }) => items.length === 0}
      empty={
        <Empty
          kind="never-connected"
          title="No Zendesk is connected"
          action={<Link href="/connections/new">Connect a Zendesk</Link>}
        >
          A destination writes through a connection.
        </Empty>
      }
    >
      {({ items }) => (
        <>
          {items.some(isWritable) && (
            <RadioGroup.Root
              aria-label="Zendesk"
              value={value ?? ""}
              onValueChange={onChange}
              className="flex flex-col gap-2"
            >
              {items.filter(isWritable).map(({ id, name, subdomain }) => (
                <div key={id} className="flex items-start gap-2">
                  <RadioGroup.Item
                    id={`connection-${id}`}
                    value={id}
                    className="relative mt-0.5 flex size-4 shrink-0 items-center justify-center rounded-full border border-edge bg-canvas after:absolute after:-inset-1 data-[state=checked]:border-accent-fill"
                  >
                    <RadioGroup.Indicator className="size-2 rounded-full bg-accent-fill" />
                  </RadioGroup.Item>
                  <label htmlFor={`connection-${id}`} className="min-w-0">
                    {name} <span className="text-table text-muted">{subdomain}.zendesk.com</span>
                  </label>
                </div>
              ))}
            </RadioGroup.Root>
          )}
          <Others connections={items.filter((one) => !isWritable(one))} />
        </>
      )}
    </QueryStates>
  );
}

function Others({ connections }: { connections: readonly Connection[] }) {
  if (connections.length === 0) return null;
  return (
    <ul
      aria-label="Not to be written to"
      className="divide-y divide-line border-b border-line not-first:mt-3 not-first:border-t"
    >
      {connections.map((connection) => (
        <li key={connection.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
          <div className="min-w-0 flex-1 basis-60">
            <p className="text-muted">
              {connection.name} <span className="text-table">{connection.subdomain}.zendesk.com</span>
            </p>
            <p className="text-table">
              {isOpen(connection)
                ? "Only reading was asked for when it was connected."
                : "It is disconnected: reconnect it first."}
            </p>
          </div>
          <WriteGrant connection={connection} />
        </li>
      ))}
    </ul>
  );
}
