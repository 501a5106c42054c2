"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { deliveryQueries } from "#app/_queries/deliveries.ts";
import { destinationQueries, dryRunDestination, testDestination } from "#app/_queries/destinations.ts";
import { Button } from "#app/_ui/button.tsx";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Section } from "#app/_ui/section.tsx";
import { Segmented } from "#app/_ui/segmented.tsx";
import { TextArea } from "#app/_ui/text-field.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Destination } from "#lib/destinations/shapes.ts";
import { Asking, DryRunResult } from "./dry-run-result.tsx";
import { eventText, readEvent, type SampleName, samples } from "./samples.ts";
import { TestResult } from "./test-result.tsx";

/** Tries an event: what it would do, and, by an administrator, all the way into Zendesk. */
export function TryEvent({ destination }: { destination: Destination }) {
  const { user } = useSession();
  const client = useQueryClient();
  const [sample, setSample] = useState<SampleName>("identify");
  const [text, setText] = useState(() => eventText(samples.identify));
  const { event, problem } = readEvent(text);
  const isStopped = destination.state === "stopped";
  const dry = useMutation({ mutationFn: () => dryRunDestination(destination.id, { event: wellFormed(event) }) });
  const sent = useMutation({
    mutationFn: () => testDestination(destination.id, wellFormed(event)),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: destinationQueries.all() }),
        client.invalidateQueries({ queryKey: deliveryQueries.all() }),
      ]),
  });
  const choose = (next: SampleName) => {
    setSample(next);
    setText(eventText(samples[next]));
    dry.reset();
    sent.reset();
  };
  return (
    <Section
      title="Try an event"
      description="A dry run asks Zendesk and writes nothing. A sample that is sent goes all the way, also while it is off."
    >
      <div className="flex flex-col gap-3">
        <Segmented
          label="Sample"
          value={sample}
          onChange={choose}
          options={(Object.keys(samples) as SampleName[]).map((name) => ({ value: name, label: name }))}
        />
        <TextArea
          label="Event"
          value={text}
          onChange={setText}
          error={problem}
          spellCheck={false}
          rows={Math.min(16, text.split("\n").length + 1)}
          className="font-mono text-small"
        />
        <div className="flex flex-wrap gap-2">
          <Button
            variant="primary"
            disabled={event === null}
            busy={dry.isPending}
            onClick={() => {
              sent.reset();
              dry.mutate();
            }}
          >
            Dry run
          </Button>
          {user.role === "admin" && (
            <ConfirmDialog
              trigger={
                <Button disabled={event === null} busy={sent.isPending}>
                  Send the sample
                </Button>
              }
              title={`Write this event to ${destination.connection.subdomain}.zendesk.com?`}
              confirmLabel="Send"
              onConfirm={() => {
                dry.reset();
                return sent.mutateAsync();
              }}
            >
              {isStopped && "The destination is stopped: the sample is queued, and sent when it is started again. "}
              It is written for real: what it creates there stays until you remove it.
            </ConfirmDialog>
          )}
        </div>
        {dry.isPending && <Asking />}
        {dry.error && <Notice kind="failure" announce title={reasonOf(dry.error)} />}
        {dry.data && <DryRunResult dryRun={dry.data} />}
        {sent.data && <TestResult answer={sent.data} isStopped={isStopped} />}
      </div>
    </Section>
  );
}

/** The buttons cannot be pressed while the text is no event. */
function wellFormed<Event>(event: Event | null): Event {
  if (event === null) throw new Error("The text is no event.");
  return event;
}
