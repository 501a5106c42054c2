"use client";

import { Plus } from "lucide-react";
import { useId } from "react";
import type { PreviewItem } from "#app/_queries/destinations.ts";
import { Button } from "#app/_ui/button.tsx";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import type { ActionKey, MappingRule } from "#lib/destinations/shapes.ts";
import { MappingRow } from "./mapping-row.tsx";

type MappingEditorProps = {
  action: ActionKey;
  mapping: readonly MappingRule[];
  onChange: (mapping: MappingRule[]) => void;
  paths: readonly string[];
  preview: PreviewItem | undefined;
  editable: boolean;
};

/** Field by field what is written: where its value comes from, and what that is for the event of the preview. */
export function MappingEditor({ action, mapping, onChange, paths, preview, editable }: MappingEditorProps) {
  const listId = useId();
  const { fields, records } = actionDefinitions[action];
  return (
    <div className="flex flex-col">
      <datalist id={`${listId}-fields`}>
        {fields.map(({ to, what }) => (
          <option key={to} value={to} label={what} />
        ))}
        {records.map((record) => (
          <option key={record} value={`${record}.`} label="A custom field, by its key" />
        ))}
      </datalist>
      <datalist id={`${listId}-paths`}>
        {paths.map((path) => (
          <option key={path} value={path} />
        ))}
      </datalist>
      <ul className="divide-y divide-line border-y border-line">
        {mapping.map((rule, at) => (
          <MappingRow
            // biome-ignore lint/suspicious/noArrayIndexKey: the place is what a rule is known by; it holds no state
            key={at}
            rule={rule}
            place={at + 1}
            what={fields.find(({ to }) => to === rule.to)?.what ?? null}
            listId={listId}
            preview={preview}
            editable={editable}
            onChange={(next) => onChange(mapping.with(at, next))}
            onRemove={() => onChange(mapping.toSpliced(at, 1))}
          />
        ))}
        {mapping.length === 0 && <li className="py-2 text-table text-muted">It writes nothing.</li>}
      </ul>
      {editable && (
        <div className="pt-2">
          <Button size="sm" variant="ghost" onClick={() => onChange([...mapping, { to: "", from: "" }])}>
            <Plus aria-hidden />
            Field
          </Button>
        </div>
      )}
    </div>
  );
}
