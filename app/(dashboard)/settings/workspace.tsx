"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { accountQueries } from "#app/_queries/accounts.ts";
import { ApiError } from "#app/_queries/client.ts";
import { patchWorkspace, workspaceQueries } from "#app/_queries/workspace.ts";
import { Button } from "#app/_ui/button.tsx";
import { Checkbox } from "#app/_ui/checkbox.tsx";
import { Combobox } from "#app/_ui/combobox.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { Section } from "#app/_ui/section.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { Switch } from "#app/_ui/switch.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { knownPriorities, type WorkspaceSettings } from "#lib/workspace/shapes.ts";

/** Windows, time zone, top priorities: what every number rests on. */
export function Workspace({ editable }: { editable: boolean }) {
  const settings = useQuery(workspaceQueries.settings());
  return (
    <div className="max-w-2xl">
      <QueryStates query={settings} what="the settings" skeleton={<SkeletonLines lines={10} />}>
        {(stored) => <WorkspaceForm key={JSON.stringify(stored)} stored={stored} editable={editable} />}
      </QueryStates>
    </div>
  );
}

function WorkspaceForm({ stored, editable }: { stored: WorkspaceSettings; editable: boolean }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState(stored);
  const [windows, setWindows] = useState(stored.windows.join(", "));
  const [minimum, setMinimum] = useState(String(stored.minimumRatings));
  const [interval, setInterval] = useState(String(stored.syncIntervalMinutes));
  const save = useMutation({
    mutationFn: () =>
      patchWorkspace({
        name: draft.name,
        timeZone: draft.timeZone,
        windows: numbersOf(windows),
        topPriorities: draft.topPriorities,
        minimumRatings: Number(minimum),
        countMerged: draft.countMerged,
        syncIntervalMinutes: Number(interval),
      }),
    onSuccess: async () => {
      toast.success("Saved. Every number follows the new settings.");
      await Promise.all([
        client.invalidateQueries({ queryKey: ["workspace"] }),
        client.invalidateQueries({ queryKey: accountQueries.all() }),
        client.invalidateQueries({ queryKey: ["feed"] }),
      ]);
    },
  });
  const error = save.error instanceof ApiError ? save.error : null;
  const about = (path: string) =>
    error?.details.find((detail) => detail.path === path || detail.path.startsWith(`${path}.`))?.message;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit}>
      <fieldset disabled={!editable} className="flex flex-col gap-8">
        <Section title="Workspace">
          <div className="flex flex-col gap-4">
            <TextField
              label="Name"
              value={draft.name}
              onChange={(name) => setDraft({ ...draft, name })}
              error={about("name")}
              required
            />
            <Combobox
              label="Time zone"
              hint="Days, and so windows and weeks, begin at midnight here."
              value={draft.timeZone}
              onChange={(timeZone) => setDraft({ ...draft, timeZone: timeZone ?? "UTC" })}
              options={zones(stored.timeZone)}
              error={about("timeZone")}
              disabled={!editable}
            />
            <TextField
              label="Minutes between syncs"
              hint="5 to 1,440; a connection may have its own."
              value={interval}
              onChange={setInterval}
              error={about("syncIntervalMinutes")}
              inputMode="numeric"
              required
            />
          </div>
        </Section>
        <Section title="Metrics">
          <div className="flex flex-col gap-4">
            <TextField
              label="Windows in days"
              hint="One to five, each 1 to 730 days, separated by commas. A window ends with today and includes it."
              value={windows}
              onChange={setWindows}
              error={about("windows")}
              required
            />
            <fieldset>
              <legend className="pb-1 text-table font-medium">Top priorities</legend>
              <div className="flex flex-wrap gap-4">
                {knownPriorities.map((priority) => (
                  <Checkbox
                    key={priority}
                    label={priority}
                    disabled={!editable}
                    checked={draft.topPriorities.includes(priority)}
                    onChange={(wanted) =>
                      setDraft({
                        ...draft,
                        topPriorities: knownPriorities.filter((one) =>
                          one === priority ? wanted === true : draft.topPriorities.includes(one),
                        ),
                      })
                    }
                  />
                ))}
              </div>
              {about("topPriorities") && <p className="text-small text-bad">{about("topPriorities")}</p>}
            </fieldset>
            <TextField
              label="Fewest ratings for a percentage"
              hint="Below it the screens show n and no percentage; the API always gives the numbers."
              value={minimum}
              onChange={setMinimum}
              error={about("minimumRatings")}
              inputMode="numeric"
              required
            />
            <Switch
              label="Count merged tickets"
              hint="Tickets closed by a merge into another."
              checked={draft.countMerged}
              onChange={(countMerged) => setDraft({ ...draft, countMerged })}
              disabled={!editable}
            />
          </div>
        </Section>
        {error && error.details.length === 0 && <Notice kind="failure" announce title={error.message} />}
        {editable ? (
          <div>
            <Button type="submit" variant="primary" busy={save.isPending}>
              Save
            </Button>
          </div>
        ) : (
          <p className="text-muted">Administrators change these settings.</p>
        )}
      </fieldset>
    </form>
  );
}

/** What is not a whole number goes to the API as it is not, and comes back with the reason. */
const numbersOf = (text: string) =>
  text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);

function zones(stored: string) {
  const names = new Set(["UTC", stored, ...Intl.supportedValuesOf("timeZone")]);
  return [...names].map((name) => ({ value: name, label: name.replaceAll("_", " ") }));
}
