"use client";

import { useQueries } from "@tanstack/react-query";
import { deliveryQueries } from "#app/_queries/deliveries.ts";
import type { TestAnswer } from "#app/_queries/destinations.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { deliveriesAddress } from "#app/(dashboard)/destinations/addresses.ts";
import { commandNames, deliveryWords, shownState } from "#app/(dashboard)/destinations/destination-words.ts";

/** What became of the sample, followed until it has ended. */
export function TestResult({ answer, isStopped }: { answer: TestAnswer; isStopped: boolean }) {
  const followed = useQueries({ queries: answer.deliveries.map(({ id }) => deliveryQueries.one(id)) });
  const deliveries = answer.deliveries.map((delivery, at) => followed[at]?.data ?? delivery);
  return (
    <section aria-label="Result of the sample" className="flex flex-col gap-2">
      <Notice kind={deliveries.length === 0 ? "warning" : "info"} announce title={titleOf(deliveries, isStopped)}>
        {deliveries.length === 0 ? "Look at the triggers under Actions." : `Message ${answer.messageId}`}
      </Notice>
      <ul className="divide-y divide-line border-b border-line text-table">
        {deliveries.map((delivery) => {
          const { id, action, subject, reason, fix } = delivery;
          const { status, words } = deliveryWords[shownState(delivery)];
          return (
            <li key={id} className="py-2">
              <p className="flex flex-wrap items-center gap-x-4 gap-y-1">
                <StatusDot status={status}>{words}</StatusDot>
                <Link href={deliveriesAddress({ message: answer.messageId, delivery: id })}>
                  {commandNames[action]}: {subject}
                </Link>
              </p>
              {reason && (
                <p>
                  {reason} <span className="text-muted">{fix}</span>
                </p>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function titleOf(deliveries: TestAnswer["deliveries"], isStopped: boolean): string {
  if (deliveries.length === 0) return "No action is for this event: nothing was written";
  if (deliveries.every(({ state }) => state !== "queued")) return "The sample was sent";
  return isStopped ? "The sample is queued until the destination is started again" : "The sample is queued";
}
