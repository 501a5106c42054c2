"use client";

import { useQuery } from "@tanstack/react-query";
import { parseAsString, useQueryState } from "nuqs";
import { useEffect, useMemo, useState } from "react";
import { type ActionBody, destinationQueries, type PreviewBody, type PreviewItem } from "#app/_queries/destinations.ts";
import { type EventDetail, eventQueries } from "#app/_queries/sources.ts";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Event } from "#lib/sources/shapes.ts";
import { type SampleName, samples } from "../samples.ts";
import { canBeAsked } from "./action-draft.ts";

const PAUSE_MS = 300;
const SAMPLE = "sample:";

export interface ActionPreview {
  /** What each action would make of the event; undefined while that is not known. */
  items: readonly PreviewItem[] | undefined;
  /** The event as it came, or the sample; undefined while it is loading. */
  payload: unknown;
  /** The id of an event, or `sample:identify`. */
  chosen: string;
  choose: (chosen: string) => void;
  event: Event | EventDetail | undefined;
  error: unknown;
  /** What is asked, the same object while the question is; null while it cannot be. */
  question: PreviewBody | null;
  /** The answer is to an earlier question. */
  stale: boolean;
}

/** What the actions, saved or not, would make of an event that came; the newest one unless another is chosen (in the URL). */
export function usePreview(destinationId: string, actions: readonly ActionBody[]): ActionPreview {
  const { user } = useSession();
  const enabled = user.role !== "viewer";
  const [wanted, choose] = useQueryState("event", parseAsString);
  const latest = useQuery({ ...eventQueries.latest(), enabled: enabled && wanted === null });
  const chosen = wanted ?? latest.data?.id ?? (latest.isPending ? "" : `${SAMPLE}identify`);
  const sample = sampleOf(chosen);
  const one = useQuery({ ...eventQueries.one(chosen), enabled: enabled && chosen !== "" && !sample });
  const asked = useSettled(actions);
  const body = useMemo(
    (): PreviewBody => ({ ...(sample ? { event: sample } : { eventId: chosen }), actions: [...asked] }),
    [sample, chosen, asked],
  );
  const question = enabled && chosen !== "" && canBeAsked(asked) ? body : null;
  const preview = useQuery({ ...destinationQueries.preview(destinationId, body), enabled: question !== null });
  const event = one.data?.id === chosen ? one.data : undefined;
  return {
    items: preview.data?.items,
    payload: sample ?? event?.payload,
    chosen,
    choose: (next) => void choose(next),
    event,
    error: preview.error ?? one.error,
    question,
    stale: preview.isPlaceholderData || asked !== actions,
  };
}

export const sampleValue = (name: SampleName) => `${SAMPLE}${name}`;

function sampleOf(chosen: string) {
  const name = chosen.startsWith(SAMPLE) ? chosen.slice(SAMPLE.length) : "";
  return name in samples ? samples[name as SampleName] : undefined;
}

/** The value once it has rested for a moment: not every letter is a question. */
function useSettled<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
