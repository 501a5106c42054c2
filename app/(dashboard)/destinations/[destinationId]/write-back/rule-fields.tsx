"use client";

import { Trash2 } from "lucide-react";
import type { WriteBackRule } from "#app/_queries/destinations.ts";
import { Checkbox } from "#app/_ui/checkbox.tsx";
import { IconButton } from "#app/_ui/icon-button.tsx";
import { Select } from "#app/_ui/select.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { measures } from "#lib/destinations/shapes.ts";

const ATTRIBUTE = "attributes.";
const measureNames: Record<(typeof measures)[number], string> = {
  ticketsTotal: "Tickets in all",
  ticketsUnsolved: "Unsolved tickets",
  topUnsolved: "Unsolved tickets of top priority",
  csat: "CSAT",
  ratings: "Ratings behind the CSAT",
  owner: "Owner",
  accountName: "Name of the account",
  accountExternalId: "External id of the account",
};
const measureOptions = [
  ...measures.map((value) => ({ value: value as string, label: measureNames[value] })),
  { value: ATTRIBUTE, label: "Attribute…" },
];

type RuleFieldsProps = {
  /** Of the `datalist` that offers organization fields. */
  fieldsId: string;
  rule: WriteBackRule;
  place: number;
  editable: boolean;
  fieldError: string | null;
  measureError: string | null;
  onChange: (rule: WriteBackRule) => void;
  onRemove: () => void;
};

/** One number of ours, the field it is written to, and whether it is. */
export function RuleFields(props: RuleFieldsProps) {
  const { fieldsId, rule, place, editable, fieldError, measureError, onChange, onRemove } = props;
  const attribute = rule.measure.startsWith(ATTRIBUTE) ? rule.measure.slice(ATTRIBUTE.length) : null;
  return (
    <li className="grid items-start gap-2 sm:grid-cols-[minmax(0,4fr)_minmax(0,3fr)_minmax(0,4fr)_auto]">
      <Select
        label={`Number ${place}`}
        labelHidden
        value={attribute === null ? rule.measure : ATTRIBUTE}
        onChange={(measure) => onChange({ ...rule, measure })}
        options={measureOptions}
        disabled={!editable}
      />
      {attribute === null ? (
        <span className="max-sm:hidden" />
      ) : (
        <TextField
          label={`Attribute of number ${place}`}
          labelHidden
          placeholder="attribute"
          value={attribute}
          onChange={(key) => onChange({ ...rule, measure: ATTRIBUTE + key.trim() })}
          error={measureError && "needs the key of an attribute of your accounts"}
          disabled={!editable}
        />
      )}
      <TextField
        label={`Organization field of number ${place}`}
        labelHidden
        placeholder="key of the organization field"
        value={rule.organizationField}
        onChange={(organizationField) => onChange({ ...rule, organizationField: organizationField.trim() })}
        error={fieldError}
        required
        disabled={!editable}
        list={fieldsId}
        spellCheck={false}
        autoComplete="off"
      />
      <div className="flex h-8 items-center gap-2">
        <Checkbox
          label={
            <>
              On<span className="sr-only">: number {place}</span>
            </>
          }
          checked={rule.enabled}
          onChange={(enabled) => onChange({ ...rule, enabled })}
          disabled={!editable}
        />
        {editable && <IconButton label={`Remove number ${place}`} icon={<Trash2 aria-hidden />} onClick={onRemove} />}
      </div>
    </li>
  );
}
