"use client";

import { StatusDot } from "#app/_ui/badge.tsx";
import { Link } from "#app/_ui/link.tsx";
import { useLocale } from "#app/_ui/locale.tsx";
import { formatNumber, Num } from "#app/_ui/num.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { eventsAddress } from "#app/(dashboard)/destinations/addresses.ts";
import type { Source } from "#lib/sources/shapes.ts";

/** One source: whether it may send, its keys, what came in a day and when the last event did. */
export function SourceRow({ source }: { source: Source }) {
  const { id, name, enabled, keys, lastEventAt, destinations } = source;
  return (
    <li className="grid items-center gap-x-6 gap-y-2 py-3 md:grid-cols-[minmax(0,4fr)_minmax(0,3fr)_minmax(0,5fr)]">
      <div className="min-w-0">
        <Link href={`/destinations?source=${id}`} className="block truncate font-medium">
          {name}
        </Link>
        <p className="truncate text-table text-muted">
          {keys.length === 0 ? "no write key" : keys.map(({ hint }) => hint).join(", ")}
        </p>
      </div>
      <div className="min-w-0 text-table">
        <StatusDot status={enabled ? "good" : "unknown"}>{enabled ? "on" : "switched off"}</StatusDot>
        <p className="truncate text-muted">
          {destinations.length === 0 ? "to no destination" : `to ${destinations.map((one) => one.name).join(", ")}`}
        </p>
      </div>
      <dl className="grid grid-cols-5 gap-x-2 text-end text-table">
        <div className="col-span-2 flex min-w-0 flex-col-reverse">
          <dt className="text-small text-muted">events, 24 h</dt>
          <dd className="font-medium">
            <EventCount source={source} value={source.eventsLastDay} state="accepted" />
          </dd>
        </div>
        <div className="flex min-w-0 flex-col-reverse">
          <dt className="text-small text-muted">rejected</dt>
          <dd className="font-medium">
            <EventCount source={source} value={source.rejectedLastDay} state="rejected" />
          </dd>
        </div>
        <div className="col-span-2 flex min-w-0 flex-col-reverse">
          <dt className="text-small text-muted">last event</dt>
          <dd className="leading-6">{lastEventAt ? <RelativeTime at={lastEventAt} /> : "none yet"}</dd>
        </div>
      </dl>
    </li>
  );
}

type EventCountProps = { source: Source; value: number; state: "accepted" | "rejected" };

function EventCount({ source, value, state }: EventCountProps) {
  const { user } = useSession();
  const locale = useLocale();
  const colour = state === "rejected" && value > 0 ? "text-bad" : undefined;
  if (user.role === "viewer") return <Num value={value} className={colour} />;
  return (
    <Link
      quiet
      href={eventsAddress({ source: source.id, state })}
      aria-label={`${formatNumber(value, locale)} ${state} events of ${source.name}, show them`}
      className={`inline-block min-h-6 min-w-6 leading-6 ${colour ?? ""}`}
    >
      <Num value={value} />
    </Link>
  );
}
