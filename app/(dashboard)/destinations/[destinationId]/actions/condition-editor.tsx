"use client";

import { Plus, X } from "lucide-react";
import { useId } from "react";
import { Button } from "#app/_ui/button.tsx";
import { IconButton } from "#app/_ui/icon-button.tsx";
import { Select } from "#app/_ui/select.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { type Comparison, type Condition, operators } from "#lib/destinations/shapes.ts";
import type { ErrorDetail } from "#lib/errors.ts";
import { eventTypes } from "#lib/sources/shapes.ts";
import {
  conditionOf,
  conditionWords,
  groupOf,
  isComparison,
  type Joining,
  joiningWords,
  operatorWords,
  placesOf,
  takesValue,
} from "./condition-groups.ts";
import { below } from "./refused-places.tsx";

const DEEPEST = 4;
const newComparison: Comparison = { field: "event", operator: "equals", value: "" };

type ConditionEditorProps = {
  condition: Condition;
  onChange: (condition: Condition) => void;
  /** What the fields offer. */
  paths: readonly string[];
  refused: readonly ErrorDetail[];
  editable: boolean;
};

/** Which events: comparisons joined by all, any or none, in groups. */
export function ConditionEditor({ condition, onChange, paths, refused, editable }: ConditionEditorProps) {
  const listId = useId();
  if (!editable) return <p className="text-table">{conditionWords(condition)}</p>;
  return (
    <>
      <datalist id={listId}>
        {["type", "event", ...paths].map((path) => (
          <option key={path} value={path} />
        ))}
      </datalist>
      <datalist id={`${listId}-types`}>
        {eventTypes.map((type) => (
          <option key={type} value={type} />
        ))}
      </datalist>
      <GroupEditor condition={condition} onChange={onChange} refused={refused} listId={listId} place="" />
    </>
  );
}

type PartProps = {
  listId: string;
  /** "2.1": where it stands, for the names of its fields. */
  place: string;
  refused: readonly ErrorDetail[];
};

function GroupEditor({
  condition,
  onChange,
  onRemove,
  refused,
  listId,
  place,
}: PartProps & { condition: Condition; onChange: (condition: Condition) => void; onRemove?: () => void }) {
  const { joining, parts } = groupOf(condition);
  const places = placesOf(condition);
  const change = (next: readonly Condition[]) => onChange(conditionOf({ joining, parts: next }));
  const depth = place === "" ? 1 : place.split(".").length + 1;
  const name = place === "" ? "the trigger" : `group ${place}`;
  return (
    <fieldset className="flex min-w-0 flex-col gap-2 border-s-2 border-line ps-3">
      <legend className="sr-only">{place === "" ? "Conditions" : `Conditions of group ${place}`}</legend>
      <div className="flex items-center gap-2">
        <Select
          label={`How the conditions of ${name} are joined`}
          labelHidden
          value={joining}
          onChange={(next: Joining) => onChange(conditionOf({ joining: next, parts }))}
          options={(Object.keys(joiningWords) as Joining[]).map((value) => ({ value, label: joiningWords[value] }))}
          className="w-40"
        />
        {onRemove && (
          <IconButton size="sm" label={`Remove group ${place}`} icon={<X aria-hidden />} onClick={onRemove} />
        )}
      </div>
      {parts.map((part, at) => {
        const own = place === "" ? `${at + 1}` : `${place}.${at + 1}`;
        const props = {
          listId,
          place: own,
          refused: below(refused, places[at] ?? ""),
          onChange: (next: Condition) => change(parts.with(at, next)),
          onRemove: () => change(parts.toSpliced(at, 1)),
        };
        // The place is what a condition is known by: it holds no state of its own.
        return isComparison(part) ? (
          <ComparisonEditor key={own} comparison={part} {...props} />
        ) : (
          <GroupEditor key={own} condition={part} {...props} />
        );
      })}
      {parts.length === 0 && (
        <p className="text-table text-muted">
          Without a condition it is for {joining === "all" || joining === "none" ? "every" : "no"} event.
        </p>
      )}
      <div className="flex flex-wrap gap-1">
        <Button size="sm" variant="ghost" onClick={() => change([...parts, newComparison])}>
          <Plus aria-hidden />
          Condition
        </Button>
        {depth < DEEPEST && (
          <Button size="sm" variant="ghost" onClick={() => change([...parts, { any: [newComparison] }])}>
            <Plus aria-hidden />
            Group
          </Button>
        )}
      </div>
    </fieldset>
  );
}

type ComparisonEditorProps = PartProps & {
  comparison: Comparison;
  onChange: (comparison: Comparison) => void;
  onRemove: () => void;
};

function ComparisonEditor({ comparison, onChange, onRemove, refused, listId, place }: ComparisonEditorProps) {
  const { field, operator, value } = comparison;
  const wrong = (part: "field" | "value") => refused.find(({ path }) => path === part)?.message ?? null;
  const setOperator = (next: Comparison["operator"]) =>
    onChange({ field, operator: next, ...(takesValue(next) ? { value: value ?? "" } : {}) });
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-2 sm:grid-cols-[minmax(0,5fr)_minmax(0,4fr)_minmax(0,5fr)_auto]">
      <div className="max-sm:col-start-1">
        <TextField
          label={`Field of condition ${place}`}
          labelHidden
          placeholder="$.traits.plan"
          value={field}
          onChange={(next) => onChange({ ...comparison, field: next })}
          error={wrong("field")}
          list={listId}
          spellCheck={false}
          autoComplete="off"
        />
      </div>
      <div className="max-sm:col-start-1">
        <Select
          label={`Comparison of condition ${place}`}
          labelHidden
          value={operator}
          onChange={setOperator}
          options={operators.map((one) => ({ value: one, label: operatorWords[one] }))}
        />
      </div>
      <div className="max-sm:col-start-1">
        {takesValue(operator) && (
          <TextField
            label={`Value of condition ${place}`}
            labelHidden
            placeholder="value"
            value={String(value ?? "")}
            onChange={(next) => onChange({ ...comparison, value: next })}
            error={wrong("value")}
            list={field === "type" ? `${listId}-types` : undefined}
            spellCheck={false}
            autoComplete="off"
          />
        )}
      </div>
      <IconButton
        size="sm"
        label={`Remove condition ${place}`}
        icon={<X aria-hidden />}
        onClick={onRemove}
        className="max-sm:col-start-2 max-sm:row-start-1"
      />
    </div>
  );
}
