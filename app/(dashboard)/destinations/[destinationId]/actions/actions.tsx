"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { History } from "lucide-react";
import { parseAsBoolean, parseAsStringLiteral, useQueryState } from "nuqs";
import { useMemo } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { type ActionBody, destinationQueries, putActions } from "#app/_queries/destinations.ts";
import { Button } from "#app/_ui/button.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { type Action, actionKeys } from "#lib/destinations/shapes.ts";
import { ActionCard } from "./action-card.tsx";
import { type ActionDraft, bodyOf, canBeAsked, draftOf, isSame, takenOver } from "./action-draft.ts";
import { pathsIn } from "./event-paths.ts";
import { PreviewPanel } from "./preview-panel.tsx";
import { below, Refusal, refusedPlaces } from "./refused-places.tsx";
import { usePreview } from "./use-preview.ts";
import { VersionHistory } from "./version-history.tsx";

type ActionsProps = {
  destinationId: string;
  /** What is not saved yet; null while nothing was changed. Kept by the screen, so that another tab does not lose it. */
  draft: readonly ActionDraft[] | null;
  onDraft: (draft: readonly ActionDraft[] | null) => void;
};

/** The six actions in their order: which events each is for, and what it makes of them, seen on a real event. */
export function Actions(props: ActionsProps) {
  const saved = useQuery(destinationQueries.actions(props.destinationId));
  return (
    <QueryStates query={saved} what="the actions" skeleton={<SkeletonLines lines={12} />}>
      {(actions) => <ActionsEditor {...props} saved={actions} />}
    </QueryStates>
  );
}

function ActionsEditor({ destinationId, draft, onDraft, saved }: ActionsProps & { saved: readonly Action[] }) {
  const { user } = useSession();
  const editable = user.role === "admin";
  const client = useQueryClient();
  const [open, setOpen] = useQueryState("action", parseAsStringLiteral(actionKeys));
  const [history, setHistory] = useQueryState("history", parseAsBoolean.withDefault(false));
  const stored = useMemo(() => saved.map(bodyOf), [saved]);
  const actions = useMemo(() => (draft ?? stored).map(bodyOf), [draft, stored]);
  const changed = draft !== null && !isSame(actions, stored);
  const preview = usePreview(destinationId, actions);
  const paths = useMemo(() => pathsIn(preview.payload), [preview.payload]);
  const list = draft ?? saved.map(draftOf);
  const save = useMutation({
    mutationFn: () =>
      putActions(
        destinationId,
        list.map((action) => ({ ...bodyOf(action), expectedVersion: action.expectedVersion })),
      ),
    onSuccess: async () => {
      toast.success("Saved: it holds for events from now on.");
      await client.invalidateQueries({ queryKey: destinationQueries.all() });
      onDraft(null);
    },
    // Somebody else may have changed them.
    onError: () => client.invalidateQueries({ queryKey: destinationQueries.actions(destinationId).queryKey }),
  });
  const edit = (next: readonly ActionDraft[] | null) => {
    // What was said about the actions as they were says nothing about these.
    save.reset();
    onDraft(next);
  };
  const change = (at: number, action: ActionBody) => edit(list.with(at, { ...list[at], ...action }));
  const move = (from: number, to: number) => {
    const action = list[from];
    if (action) edit(list.toSpliced(from, 1).toSpliced(to, 0, action));
  };
  const refused = refusedPlaces(save.error ?? preview.error);
  const isOverwriting = save.error instanceof ApiError && save.error.code === "conflict";
  return (
    <div className="grid items-start gap-x-8 gap-y-6 xl:grid-cols-[minmax(0,7fr)_minmax(0,4fr)]">
      <div className="flex min-w-0 flex-col">
        <div className="flex flex-wrap items-center gap-2 pb-2">
          <p className="min-w-0 flex-1 basis-60 text-table text-muted">
            Asked in this order about each event; one event may trigger several.
          </p>
          <Button size="sm" onClick={() => void setHistory(true)}>
            <History aria-hidden />
            History
          </Button>
        </div>
        <ol aria-label="Actions" className="divide-y divide-line border-y border-line">
          {list.map((action, at) => (
            <ActionCard
              key={action.key}
              destinationId={destinationId}
              action={action}
              place={at + 1}
              version={saved.find(({ key }) => key === action.key)}
              preview={preview.items?.find(({ key }) => key === action.key)}
              paths={paths}
              refused={below(refused, at)}
              open={open === action.key}
              onOpen={(next) => void setOpen(next ? action.key : null)}
              editable={editable}
              onChange={(next) => change(at, next)}
              onMoveUp={at > 0 ? () => move(at, at - 1) : undefined}
              onMoveDown={at < list.length - 1 ? () => move(at, at + 1) : undefined}
            />
          ))}
        </ol>
        {editable && (
          <div className="sticky -bottom-4 -mb-4 flex flex-col gap-2 border-t border-line bg-canvas py-3">
            {save.error && (
              <Refusal
                title="Not saved: correct what is named here."
                error={save.error}
                actions={actions}
                mends={
                  isOverwriting && (
                    <Button size="sm" onClick={() => edit(null)}>
                      Load what is stored
                    </Button>
                  )
                }
              >
                {isOverwriting &&
                  "Your changes are still here; loading what is stored drops them. History shows theirs."}
              </Refusal>
            )}
            <div className="flex flex-wrap items-center gap-2">
              <Button
                variant="primary"
                disabled={!changed || !canBeAsked(actions)}
                busy={save.isPending}
                onClick={() => save.mutate()}
              >
                Save the actions
              </Button>
              <Button variant="ghost" disabled={!changed} onClick={() => edit(null)}>
                Undo changes
              </Button>
              <span role="status" className="text-table text-muted">
                {!changed
                  ? "Nothing is changed."
                  : canBeAsked(actions)
                    ? "Not saved yet; the preview shows it already."
                    : "A rule or condition is not complete."}
              </span>
            </div>
          </div>
        )}
      </div>
      {user.role !== "viewer" && (
        <PreviewPanel
          destinationId={destinationId}
          preview={preview}
          actions={actions}
          open={open}
          onAddRule={
            editable
              ? (key, rule) => {
                  const at = list.findIndex((action) => action.key === key);
                  const action = list[at];
                  if (action) change(at, { ...action, mapping: [...action.mapping, rule] });
                }
              : undefined
          }
        />
      )}
      {history && (
        <VersionHistory
          destinationId={destinationId}
          present={saved}
          onClose={() => void setHistory(null)}
          onTake={
            editable
              ? (version) => {
                  edit(takenOver(list, version));
                  void setHistory(null);
                  void setOpen(version.key);
                  toast.info("Taken over; it is saved when you save.");
                }
              : undefined
          }
        />
      )}
    </div>
  );
}
