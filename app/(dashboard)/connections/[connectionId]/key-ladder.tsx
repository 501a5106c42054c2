"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useId } from "react";
import { accountQueries } from "#app/_queries/accounts.ts";
import { connectionQueries, putMatchKeys } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { useCount } from "#app/_ui/num.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { Section } from "#app/_ui/section.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { CustomFieldOptions } from "#app/(dashboard)/custom-field-options.tsx";
import type { MatchKey, MatchPreview } from "#lib/matching/shapes.ts";
import { KeyRung } from "./key-rung.tsx";

const newKey: MatchKey = { organizationField: "external_id", accountField: "externalId", normalize: "exact" };

export type Rung = { id: number; key: MatchKey };

export type KeyLadderProps = {
  connectionId: string;
  /** What is not saved yet; null while nothing was changed. Kept by the screen, so that another tab does not lose it. */
  draft: readonly Rung[] | null;
  onDraft: (draft: readonly Rung[] | null) => void;
};

/** The ladder of match keys: each with its hit rate; what saving would change stands there before the button works. */
export function KeyLadder({ connectionId, draft, onDraft }: KeyLadderProps) {
  const stored = useQuery(connectionQueries.matchKeys(connectionId));
  return (
    <Section
      title="Match keys"
      description="Asked in order. The first key under which an organization meets exactly one account decides."
    >
      <QueryStates query={stored} what="the match keys" skeleton={<SkeletonLines lines={5} />}>
        {({ keys }) => <LadderEditor connectionId={connectionId} draft={draft} onDraft={onDraft} stored={keys} />}
      </QueryStates>
    </Section>
  );
}

function LadderEditor({ connectionId, draft, onDraft, stored }: KeyLadderProps & { stored: readonly MatchKey[] }) {
  const client = useQueryClient();
  const { user } = useSession();
  const count = useCount();
  const editable = user.role === "admin";
  const rungs = draft ?? stored.map((key, id) => ({ id, key }));
  const keys = keysOf(rungs);
  const changed = draft !== null;
  const setRungs = (next: readonly Rung[]) =>
    onDraft(JSON.stringify(keysOf(next)) === JSON.stringify(stored) ? null : next);
  const complete = keys.every(isComplete);
  const preview = useQuery({ ...connectionQueries.preview(connectionId, keys), enabled: complete });
  const fieldsId = useId();
  const fields = useQuery({ ...connectionQueries.customFields(connectionId, "organization"), enabled: editable });
  const save = useMutation({
    mutationFn: () => putMatchKeys(connectionId, keys),
    onSuccess: async (result) => {
      toast.success(`Saved: ${count(result.matched)} of ${count(result.organizations)} organizations are matched.`);
      await Promise.all([
        client.invalidateQueries({ queryKey: connectionQueries.all() }),
        client.invalidateQueries({ queryKey: accountQueries.all() }),
      ]);
      onDraft(null);
    },
  });
  const move = (at: number, by: number) => setRungs(swapped(rungs, at, at + by));
  const change = (id: number, key: MatchKey) =>
    setRungs(rungs.map((rung) => (rung.id === id ? { ...rung, key } : rung)));
  const add = () => setRungs([...rungs, { id: Math.max(-1, ...rungs.map(({ id }) => id)) + 1, key: newKey }]);

  return (
    <div className="flex flex-col gap-3">
      <datalist id={fieldsId}>
        <CustomFieldOptions fields={fields.data?.items} />
      </datalist>
      <ol className="-mt-3 divide-y divide-line border-b border-line">
        {rungs.map(({ id, key }, at) => (
          <KeyRung
            key={id}
            index={at}
            fieldsId={fieldsId}
            matchKey={key}
            organizations={preview.data?.organizations ?? null}
            hits={preview.data?.byKey.find(({ index }) => index === at) ?? null}
            editable={editable}
            onChange={(next) => change(id, next)}
            onMoveUp={at > 0 ? () => move(at, -1) : undefined}
            onMoveDown={at < rungs.length - 1 ? () => move(at, 1) : undefined}
            onRemove={() => setRungs(rungs.filter((rung) => rung.id !== id))}
          />
        ))}
      </ol>
      {rungs.length === 0 && <p className="text-table text-muted">Without a key only people decide.</p>}
      {editable && (
        <div className="flex flex-wrap items-center gap-2">
          <Button size="sm" onClick={add} disabled={rungs.length >= 10}>
            <Plus aria-hidden />
            Add a key
          </Button>
          <Button
            size="sm"
            variant="primary"
            disabled={!changed || !complete || !preview.data || preview.isPlaceholderData}
            busy={save.isPending}
            onClick={() => save.mutate()}
          >
            Save and re-match
          </Button>
          {changed && (
            <Button size="sm" variant="ghost" onClick={() => onDraft(null)}>
              Undo changes
            </Button>
          )}
        </div>
      )}
      <div aria-live="polite" className="text-table">
        {!complete && <p className="text-muted">Name the field of every key to see what it would do.</p>}
        {complete && preview.data && <PreviewLine preview={preview.data} changed={changed} />}
      </div>
      {Boolean(preview.error ?? save.error) && (
        <Notice kind="failure" announce title={reasonOf(preview.error ?? save.error)} />
      )}
    </div>
  );
}

/** What saving would change, in a line. */
function PreviewLine({ preview, changed }: { preview: MatchPreview; changed: boolean }) {
  const { matched, ambiguous, unmatched, ignored, changes } = preview;
  const count = useCount();
  const counts = `${count(matched)} matched, ${count(ambiguous)} ambiguous, ${count(unmatched)} unmatched, ${count(ignored)} ignored`;
  if (!changed) return <p className="text-muted">{counts}</p>;
  const { gained, lost, moved } = changes;
  const effect =
    gained + lost + moved === 0
      ? "Saving would change no match"
      : `Saving would change: ${count(gained)} gain an account, ${count(lost)} lose theirs, ${count(moved)} ${moved === 1 ? "moves" : "move"} to another`;
  return (
    <p>
      <span className="font-medium">{effect}.</span> <span className="text-muted">{counts}</span>
    </p>
  );
}

const keysOf = (rungs: readonly Rung[]) => rungs.map(({ key }) => key);

const isComplete = ({ organizationField, accountField }: MatchKey) =>
  !organizationField.endsWith(".") && !accountField.endsWith(".");

function swapped<T>(items: readonly T[], a: number, b: number): T[] {
  const next = [...items];
  const [first, second] = [next[a], next[b]];
  if (first === undefined || second === undefined) return next;
  next[a] = second;
  next[b] = first;
  return next;
}
