import { StatusDot } from "#app/_ui/badge.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Num } from "#app/_ui/num.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import type { Connection } from "#lib/connections/shapes.ts";
import { connectionWords } from "./connection-words.ts";
import { MatchBar } from "./match-bar.tsx";

/** One connection in the list: state, how far it was read, what is matched. */
export function ConnectionRow({ connection }: { connection: Connection }) {
  const { status, words } = connectionWords[connection.state];
  const tickets = connection.streams.find(({ name }) => name === "tickets");
  return (
    <li className="grid items-center gap-x-6 gap-y-1 py-3 md:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_minmax(0,4fr)]">
      <div className="min-w-0">
        <Link href={`/connections/${connection.id}`} className="block truncate font-medium">
          {connection.name}
        </Link>
        <p className="truncate text-table text-muted">{connection.subdomain}.zendesk.com</p>
      </div>
      <div className="min-w-0 text-table">
        <StatusDot status={status}>{words}</StatusDot>
        <p className="text-muted">
          {tickets?.freshThrough ? (
            <>
              tickets as of <RelativeTime at={tickets.freshThrough} />
            </>
          ) : (
            "tickets not read through yet"
          )}{" "}
          · <Num value={tickets?.rows ?? 0} /> tickets
        </p>
      </div>
      <MatchBar counts={connection.matching} />
    </li>
  );
}
