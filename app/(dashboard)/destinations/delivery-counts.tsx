"use client";

import { cn } from "#app/_ui/class-names.ts";
import { Flash } from "#app/_ui/flash.tsx";
import { Link } from "#app/_ui/link.tsx";
import { useLocale } from "#app/_ui/locale.tsx";
import { formatNumber } from "#app/_ui/num.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { DeliveryState, Destination } from "#lib/destinations/shapes.ts";
import { deliveriesAddress } from "./addresses.ts";

const counts: { key: keyof Destination["deliveries"]; state: DeliveryState; label: string; colour?: string }[] = [
  { key: "queued", state: "queued", label: "queued" },
  { key: "failed", state: "failed", label: "failed", colour: "text-bad" },
  { key: "held", state: "held", label: "held", colour: "text-watch" },
  { key: "unknown", state: "unknown", label: "unknown", colour: "text-watch" },
  { key: "doneLastDay", state: "done", label: "done, 24 h" },
];

/** How many deliveries are in each state; each number opens its deliveries. */
export function DeliveryCounts({ destination }: { destination: Destination }) {
  const { user } = useSession();
  const locale = useLocale();
  return (
    <dl className="grid grid-cols-5 gap-x-2 text-end text-table">
      {counts.map(({ key, state, label, colour }) => {
        const value = destination.deliveries[key];
        const figure = formatNumber(value, locale);
        const shown = (
          <Flash value={value} of={destination.id}>
            {figure}
          </Flash>
        );
        return (
          <div key={key} className="flex min-w-0 flex-col-reverse">
            <dt className="text-small text-muted">{label}</dt>
            <dd className={cn("font-medium tabular-nums", value > 0 && colour)}>
              {user.role === "viewer" ? (
                shown
              ) : (
                <Link
                  quiet
                  href={deliveriesAddress({ destination: destination.id, state })}
                  aria-label={`${figure} ${label} of ${destination.name}, show them`}
                  className={cn("inline-block min-h-6 min-w-6 leading-6", value > 0 && colour)}
                >
                  {shown}
                </Link>
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
