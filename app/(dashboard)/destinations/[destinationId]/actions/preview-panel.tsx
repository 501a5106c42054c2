"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import type { PreviewItem } from "#app/_queries/destinations.ts";
import { eventQueries } from "#app/_queries/sources.ts";
import { Button } from "#app/_ui/button.tsx";
import { cn } from "#app/_ui/class-names.ts";
import { Combobox } from "#app/_ui/combobox.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Facts, Section } from "#app/_ui/section.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { eventTitle, whose } from "#app/(dashboard)/destinations/events/event-words.ts";
import { JsonText } from "#app/(dashboard)/destinations/json-text.tsx";
import { ValueText } from "#app/(dashboard)/destinations/value-text.tsx";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import type { ActionKey, MappingRule } from "#lib/destinations/shapes.ts";
import type { Event } from "#lib/sources/shapes.ts";
import { type SampleName, samples } from "../samples.ts";
import { stepTo } from "./event-paths.ts";
import { type ActionPreview, sampleValue } from "./use-preview.ts";

type PreviewPanelProps = {
  preview: ActionPreview;
  /** The action that is open: it alone is shown then. */
  open: ActionKey | null;
  /** Given to those who may change mappings. */
  onAddRule?: (key: ActionKey, rule: MappingRule) => void;
};

/** What the actions, as they stand on the screen, would make of an event that came. */
export function PreviewPanel({ preview, open, onAddRule }: PreviewPanelProps) {
  const { items, payload, stale, error } = preview;
  const shown = items?.filter(({ key, triggered }) => (open ? key === open : triggered));
  const details = error instanceof ApiError ? error.details : [];
  return (
    <Section
      title="Preview"
      description="Nothing is asked and nothing is sent."
      className="xl:sticky xl:top-0 xl:max-h-[calc(100dvh-8rem)] xl:overflow-y-auto"
    >
      <div className="flex flex-col gap-4">
        <EventChoice preview={preview} />
        {Boolean(error) && (
          <Notice kind="failure" announce title={reasonOf(error)}>
            {details.map(({ path, message }) => (
              <p key={`${path} ${message}`}>
                {path}: {message}
              </p>
            ))}
          </Notice>
        )}
        <div aria-live="polite" aria-busy={stale} className={cn("flex flex-col gap-4", stale && "opacity-60")}>
          {!shown && !error && <SkeletonLines lines={6} />}
          {shown?.length === 0 && <p className="text-table">No action is for this event.</p>}
          {shown?.map((item) => (
            <ActionResult key={item.key} item={item} onAddRule={onAddRule} />
          ))}
        </div>
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

function ActionResult({ item, onAddRule }: { item: PreviewItem } & Pick<PreviewPanelProps, "onAddRule">) {
  const { key, triggered, enabled, fields, unmapped, problems } = item;
  const { name, records } = actionDefinitions[key];
  const record = records[0];
  const entries = Object.entries(fields);
  return (
    <section aria-label={name}>
      <h3 className="font-medium">{name}</h3>
      <p className="mb-1 text-table text-muted">
        {triggered
          ? enabled
            ? "It is for this event and would write:"
            : "It is off; on, it would write:"
          : "It is not for this event."}
      </p>
      {triggered && entries.length > 0 && (
        <Facts facts={entries.map(([field, value]) => ({ term: field, value: <ValueText value={value} /> }))} />
      )}
      {problems.length > 0 && (
        <ul className="mt-2 text-table text-bad">
          {problems.map(({ field, message }) => (
            <li key={`${field} ${message}`}>
              {field}: {message}
            </li>
          ))}
        </ul>
      )}
      {triggered && Object.keys(unmapped).length > 0 && (
        <>
          <h4 className="mt-3 text-table font-medium">Traits that no rule names</h4>
          <ul className="text-table">
            {Object.entries(unmapped).map(([trait, value]) => (
              <li key={trait} className="flex min-h-7 items-center gap-2">
                <span className="min-w-0 flex-1 break-words">
                  <span className="text-muted">{trait}</span> <ValueText value={value} />
                </span>
                {onAddRule && record && (
                  <Button
                    size="sm"
                    variant="ghost"
                    aria-label={`Map ${trait}`}
                    onClick={() =>
                      onAddRule(key, { to: `${record}.${keyOf(trait)}`, from: `$.traits${stepTo(trait)}` })
                    }
                  >
                    <Plus aria-hidden />
                    Map it
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** The key that Zendesk would take for a trait's name (C-39). */
const keyOf = (trait: string) =>
  trait
    .replaceAll(/([a-z\d])([A-Z])/g, "$1_$2")
    .replaceAll(/\W+/g, "_")
    .toLowerCase();
