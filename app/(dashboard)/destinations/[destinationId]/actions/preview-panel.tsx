"use client";

import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { type ActionBody, dryRunDestination } from "#app/_queries/destinations.ts";
import { eventQueries } from "#app/_queries/sources.ts";
import { Button } from "#app/_ui/button.tsx";
import { cn } from "#app/_ui/class-names.ts";
import { Combobox } from "#app/_ui/combobox.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Section } from "#app/_ui/section.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { eventTitle, whose } from "#app/(dashboard)/destinations/events/event-words.ts";
import { JsonText } from "#app/(dashboard)/destinations/json-text.tsx";
import type { ActionKey, MappingRule } from "#lib/destinations/shapes.ts";
import type { Event } from "#lib/sources/shapes.ts";
import { DryRunResult } from "../dry-run-result.tsx";
import { type SampleName, samples } from "../samples.ts";
import { ActionResult } from "./action-result.tsx";
import { Refusal } from "./refused-places.tsx";
import { type ActionPreview, sampleValue } from "./use-preview.ts";

type PreviewPanelProps = {
  destinationId: string;
  preview: ActionPreview;
  /** As they stand on the screen. */
  actions: readonly ActionBody[];
  /** The action that is open: it alone is shown then. */
  open: ActionKey | null;
  /** Given to those who may change mappings. */
  onAddRule?: (key: ActionKey, rule: MappingRule) => void;
};

/** What the actions, as they stand on the screen, would send about an event that came. */
export function PreviewPanel({ destinationId, preview, actions, open, onAddRule }: PreviewPanelProps) {
  const { items, payload, stale, error } = preview;
  const shown = items?.filter(({ key, triggered }) => (open ? key === open : triggered));
  return (
    <Section
      title="Preview"
      description="Nothing is asked and nothing is sent: of what Zendesk has already, only differences would be."
      className="xl:sticky xl:top-0 xl:max-h-[calc(100dvh-8rem)] xl:overflow-y-auto"
    >
      <div className="flex flex-col gap-4">
        <EventChoice preview={preview} />
        {Boolean(error) && <Refusal title="No preview: correct what is named here." error={error} actions={actions} />}
        <div aria-live="polite" aria-busy={stale} className={cn("flex flex-col gap-4", stale && "opacity-60")}>
          {!shown && !error && <SkeletonLines lines={6} />}
          {shown?.length === 0 && <p className="text-table">No action is for this event.</p>}
          {shown?.map((item) => (
            <ActionResult key={item.key} destinationId={destinationId} item={item} onAddRule={onAddRule} />
          ))}
        </div>
        <Comparison destinationId={destinationId} preview={preview} />
        {payload !== undefined && (
          <details className="text-table">
            <summary className="min-h-6 text-muted">The event</summary>
            <div className="mt-2">
              <JsonText value={payload} label="The event of the preview" />
            </div>
          </details>
        )}
      </div>
    </Section>
  );
}

function EventChoice({ preview: { chosen, choose, event } }: { preview: ActionPreview }) {
  const [typed, setTyped] = useState("");
  const q = useDeferredValue(typed.trim());
  const found = useInfiniteQuery({
    ...eventQueries.list({ sourceId: null, type: null, state: "accepted", q }),
    refetchInterval: false,
  });
  const items: Event[] = found.data?.pages[0]?.items ?? [];
  const known = event && !items.some(({ id }) => id === event.id) ? [event, ...items] : items;
  return (
    <Combobox
      label="Event"
      value={chosen || null}
      placeholder="Choose an event…"
      onChange={(value) => value && choose(value)}
      onQueryChange={setTyped}
      loading={found.isFetching}
      options={[
        ...known.map((one) => ({
          value: one.id,
          label: [eventTitle(one), whose(one)].filter(Boolean).join(" · "),
          detail: <RelativeTime at={one.receivedAt} interactive={false} />,
        })),
        ...(Object.keys(samples) as SampleName[]).map((name) => ({
          value: sampleValue(name),
          label: `A sample: ${name}`,
        })),
      ]}
    />
  );
}

/** The same with Zendesk asked: what differs from what it has. */
function Comparison({ destinationId, preview: { question } }: { destinationId: string; preview: ActionPreview }) {
  const dry = useMutation({
    mutationFn: (asked: NonNullable<typeof question>) => dryRunDestination(destinationId, asked),
  });
  const isOfThis = dry.variables === question;
  return (
    <div className="flex flex-col gap-2">
      <div>
        <Button
          size="sm"
          disabled={question === null}
          busy={dry.isPending}
          onClick={() => question && dry.mutate(question)}
        >
          Compare with Zendesk
        </Button>
      </div>
      {isOfThis && dry.error && <Notice kind="failure" announce title={reasonOf(dry.error)} />}
      {isOfThis && dry.data && <DryRunResult dryRun={dry.data} />}
    </div>
  );
}
