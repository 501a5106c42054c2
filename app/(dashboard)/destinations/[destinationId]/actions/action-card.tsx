"use client";

import { ArrowDown, ArrowUp, ChevronDown, ChevronRight } from "lucide-react";
import { useId } from "react";
import type { ActionBody, PreviewItem } from "#app/_queries/destinations.ts";
import { Badge } from "#app/_ui/badge.tsx";
import { Checkbox } from "#app/_ui/checkbox.tsx";
import { IconButton } from "#app/_ui/icon-button.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import type { Action } from "#lib/destinations/shapes.ts";
import type { ErrorDetail } from "#lib/errors.ts";
import { refusalIn } from "./action-result.tsx";
import { ConditionEditor } from "./condition-editor.tsx";
import { conditionWords } from "./condition-groups.ts";
import { MappingEditor } from "./mapping-editor.tsx";
import { below } from "./refused-places.tsx";

type ActionCardProps = {
  destinationId: string;
  action: ActionBody;
  place: number;
  /** As it is saved. */
  version: Action | undefined;
  preview: PreviewItem | undefined;
  /** Paths of the event that the preview is of. */
  paths: readonly string[];
  /** What is wrong with it, by its place. */
  refused: readonly ErrorDetail[];
  open: boolean;
  onOpen: (open: boolean) => void;
  editable: boolean;
  onChange: (action: ActionBody) => void;
  onMoveUp?: () => void;
  onMoveDown?: () => void;
};

/** One action: on or off, its place, its trigger in words; opened, its trigger and mapping to edit. */
export function ActionCard(props: ActionCardProps) {
  const { action, place, version, preview, open, onOpen, editable, onChange } = props;
  const bodyId = useId();
  const { name, description } = actionDefinitions[action.key];
  const Chevron = open ? ChevronDown : ChevronRight;
  return (
    <li className="py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h3 className="min-w-0 flex-1 basis-56">
          <button
            type="button"
            aria-expanded={open}
            aria-controls={bodyId}
            onClick={() => onOpen(!open)}
            className="flex min-h-6 max-w-full items-center gap-1.5 rounded-sm text-start font-medium hover:text-accent"
          >
            <Chevron aria-hidden className="size-4 shrink-0 text-muted" />
            <span className="text-muted tabular-nums">{place}.</span> {name}
          </button>
        </h3>
        {preview && <Effect preview={preview} enabled={action.enabled} />}
        <Checkbox
          label="On"
          checked={action.enabled}
          disabled={!editable}
          onChange={(enabled) => onChange({ ...action, enabled })}
        />
        {editable && (
          <span className="flex">
            <IconButton
              size="sm"
              label={`Ask ${name} earlier`}
              icon={<ArrowUp aria-hidden />}
              disabled={!props.onMoveUp}
              onClick={props.onMoveUp}
            />
            <IconButton
              size="sm"
              label={`Ask ${name} later`}
              icon={<ArrowDown aria-hidden />}
              disabled={!props.onMoveDown}
              onClick={props.onMoveDown}
            />
          </span>
        )}
      </div>
      <p className="ps-5.5 text-table text-muted">{open ? description : `When ${conditionWords(action.trigger)}`}</p>
      {open && (
        <div id={bodyId} className="mt-3 flex flex-col gap-4 sm:ps-5.5">
          <section aria-label={`Trigger of ${name}`}>
            <h4 className="mb-2 text-table font-medium">For events of which</h4>
            <ConditionEditor
              condition={action.trigger}
              onChange={(trigger) => onChange({ ...action, trigger })}
              paths={props.paths}
              refused={below(props.refused, "trigger")}
              editable={editable}
            />
          </section>
          <section aria-label={`Mapping of ${name}`}>
            <h4 className="mb-1 text-table font-medium">What it writes</h4>
            <MappingEditor
              destinationId={props.destinationId}
              action={action.key}
              mapping={action.mapping}
              onChange={(mapping) => onChange({ ...action, mapping })}
              paths={props.paths}
              refused={below(props.refused, "mapping")}
              preview={preview}
              editable={editable}
            />
          </section>
          {version && (
            <p className="text-small text-muted">
              Version {version.version}, <RelativeTime at={version.changedAt} />
              {version.changedBy && ` by ${version.changedBy}`}
            </p>
          )}
        </div>
      )}
    </li>
  );
}

/** What the action would do with the event of the preview. */
function Effect({ preview, enabled }: { preview: PreviewItem; enabled: boolean }) {
  if (!preview.triggered) return <span className="text-small text-muted">not for this event</span>;
  if (!enabled) return <span className="text-small text-muted">would be, if it were on</span>;
  if (refusalIn(preview)) return <Badge status="bad">would fail</Badge>;
  const notes = preview.problems.length;
  return notes > 0 ? (
    <Badge status="watch">{notes === 1 ? "1 note" : `${notes} notes`}</Badge>
  ) : (
    <Badge status="good">for this event</Badge>
  );
}
