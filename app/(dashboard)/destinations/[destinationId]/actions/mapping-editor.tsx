"use client";

import { Plus } from "lucide-react";
import { useId } from "react";
import type { PreviewItem } from "#app/_queries/destinations.ts";
import { Button } from "#app/_ui/button.tsx";
import { CustomFieldOptions } from "#app/(dashboard)/custom-field-options.tsx";
import { useCustomFields } from "#app/(dashboard)/destinations/use-custom-fields.ts";
import type { CustomFieldList } from "#lib/connections/shapes.ts";
import { actionDefinitions, subjectsOfRecords } from "#lib/destinations/actions.ts";
import { fieldNamed } from "#lib/destinations/procedures/field-values.ts";
import type { ActionKey, MappingRule } from "#lib/destinations/shapes.ts";
import type { ErrorDetail } from "#lib/errors.ts";
import { MappingRow } from "./mapping-row.tsx";
import { below } from "./refused-places.tsx";

type MappingEditorProps = {
  destinationId: string;
  action: ActionKey;
  mapping: readonly MappingRule[];
  onChange: (mapping: MappingRule[]) => void;
  paths: readonly string[];
  refused: readonly ErrorDetail[];
  preview: PreviewItem | undefined;
  editable: boolean;
};

/** Field by field what is written: where its value comes from, and what that is for the event of the preview. */
export function MappingEditor(props: MappingEditorProps) {
  const { destinationId, action, mapping, onChange, paths, preview, editable } = props;
  const listId = useId();
  const { fields, records } = actionDefinitions[action];
  const [record] = records;
  const customFields = useCustomFields(destinationId, subjectsOfRecords[record ?? ""] ?? null);
  return (
    <div className="flex flex-col">
      <datalist id={`${listId}-fields`}>
        {fields.map(({ to, what }) => (
          <option key={to} value={to} label={what} />
        ))}
        {record && <CustomFieldOptions fields={customFields?.items} prefix={`${record}.`} />}
      </datalist>
      <datalist id={`${listId}-paths`}>
        {paths.map((path) => (
          <option key={path} value={path} />
        ))}
      </datalist>
      <p className="mb-1 text-small text-muted">
        A path may name several places, as in <code>$.traits.email | $.context.traits.email</code>: the first that holds
        something counts.
      </p>
      <ul className="divide-y divide-line border-y border-line">
        {mapping.map((rule, at) => (
          <MappingRow
            // biome-ignore lint/suspicious/noArrayIndexKey: the place is what a rule is known by; it holds no state
            key={at}
            rule={rule}
            place={at + 1}
            what={fields.find(({ to }) => to === rule.to)?.what ?? customFieldWords(rule.to, record, customFields)}
            listId={listId}
            refused={below(props.refused, at)}
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

/** What Zendesk calls the custom field that a rule fills, or that it had none when it was read last; null where it cannot be told. */
function customFieldWords(to: string, record: string | undefined, known: CustomFieldList | undefined): string | null {
  const key = record !== undefined && to.startsWith(`${record}.`) ? to.slice(record.length + 1) : "";
  if (key === "" || known === undefined) return null;
  const field = fieldNamed(known.items, key);
  if (field) return `${field.title ?? field.key}, a custom field`;
  return known.nextCursor === null ? "Zendesk had no such field when it was read last" : null;
}
