"use client";

import { EllipsisVertical } from "lucide-react";
import type { PreviewItem } from "#app/_queries/destinations.ts";
import { cn } from "#app/_ui/class-names.ts";
import { IconButton } from "#app/_ui/icon-button.tsx";
import { Menu, MenuItem, MenuLine } from "#app/_ui/menu.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { ValueText } from "#app/(dashboard)/destinations/value-text.tsx";
import type { MappingRule } from "#lib/destinations/shapes.ts";
import type { ErrorDetail } from "#lib/errors.ts";

type MappingRowProps = {
  rule: MappingRule;
  place: number;
  /** What the field is, in words; null for a custom one. */
  what: string | null;
  listId: string;
  refused: readonly ErrorDetail[];
  preview: PreviewItem | undefined;
  editable: boolean;
  onChange: (rule: MappingRule) => void;
  onRemove: () => void;
};

type SourceName = "from" | "template" | "value" | "default";
/** In the order in which they are asked: the first that gives something counts. */
const sources: { name: SourceName; label: string; add: string; placeholder: string }[] = [
  { name: "from", label: "Path", add: "Take it from a path", placeholder: "$.traits.email" },
  { name: "template", label: "Template", add: "Make it of a template", placeholder: "{{ traits.first_name }}" },
  { name: "value", label: "Fixed", add: "Write a fixed value", placeholder: "value" },
  { name: "default", label: "Default", add: "Give a default", placeholder: "value" },
];

/** One field: its name, its sources, what comes out. */
export function MappingRow(props: MappingRowProps) {
  const { rule, place, what, editable, onChange, onRemove } = props;
  const present = sources.filter(({ name }) => rule[name] !== undefined);
  const named = rule.to || `rule ${place}`;
  const wrong = (name: SourceName | "to" | "") => props.refused.find(({ path }) => path === name)?.message ?? null;
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-x-2 gap-y-1 py-2 text-table sm:grid-cols-[minmax(0,4fr)_minmax(0,8fr)_minmax(0,4fr)_auto]">
      <div className="min-w-0">
        {editable ? (
          <TextField
            label={`Field of rule ${place}`}
            labelHidden
            placeholder="field of Zendesk"
            value={rule.to}
            onChange={(to) => onChange({ ...rule, to: to.trim() })}
            error={wrong("to") ?? wrong("")}
            list={`${props.listId}-fields`}
            spellCheck={false}
            autoComplete="off"
          />
        ) : (
          <code className="break-all">{rule.to}</code>
        )}
        {what && (
          <p className="line-clamp-2 text-small text-muted" title={what}>
            {what}
          </p>
        )}
      </div>
      <div className="flex min-w-0 flex-col gap-1 max-sm:col-span-2 max-sm:row-start-2">
        {present.map(({ name, label, placeholder }, at) => (
          <div key={name} className="flex items-start gap-2">
            <span className={cn("w-20 shrink-0 text-small whitespace-nowrap text-muted", editable && "leading-8")}>
              {at === 0 ? label : `else ${label.toLowerCase()}`}
            </span>
            {editable ? (
              <div className="min-w-0 flex-1">
                <TextField
                  label={`${label} of ${named}`}
                  labelHidden
                  placeholder={placeholder}
                  value={textOf(rule[name])}
                  onChange={(text) => onChange({ ...rule, [name]: likeBefore(text, rule[name]) })}
                  error={wrong(name)}
                  list={name === "from" ? `${props.listId}-paths` : undefined}
                  spellCheck={false}
                  autoComplete="off"
                />
              </div>
            ) : (
              <code className="min-w-0 break-all">{textOf(rule[name])}</code>
            )}
          </div>
        ))}
      </div>
      <Result rule={rule} preview={props.preview} />
      {editable && (
        <Menu
          label={`Sources of ${named}`}
          trigger={
            <IconButton
              size="sm"
              label={`More about ${named}`}
              icon={<EllipsisVertical aria-hidden />}
              className="max-sm:col-start-2 max-sm:row-start-1"
            />
          }
        >
          {sources.map(({ name, label, add }) =>
            rule[name] === undefined ? (
              <MenuItem key={name} onSelect={() => onChange({ ...rule, [name]: "" })}>
                {add}
              </MenuItem>
            ) : (
              <MenuItem key={name} onSelect={() => onChange(without(rule, name))} disabled={present.length === 1}>
                No {label.toLowerCase()}
              </MenuItem>
            ),
          )}
          <MenuLine />
          <MenuItem danger onSelect={onRemove}>
            Remove the field
          </MenuItem>
        </Menu>
      )}
    </li>
  );
}

/** What the rule gives for the event of the preview, and why not all of it is sent. */
function Result({ rule, preview }: { rule: MappingRule; preview: PreviewItem | undefined }) {
  if (!preview) return <p className="max-sm:hidden" />;
  const problem = preview.problems.find(({ field }) => rule.to !== "" && field === rule.to)?.message;
  const own = rule.to in preview.fields ? preview.fields[rule.to] : partsOf(rule.to, preview.fields);
  return (
    <div className="min-w-0 py-1.5 break-words max-sm:col-span-2 max-sm:row-start-3 max-sm:py-0">
      {(own !== undefined || !problem) && (
        <p>
          <span aria-hidden className="text-muted">
            →{" "}
          </span>
          <ValueText value={own} />
        </p>
      )}
      {problem && <p className="text-bad">{problem}</p>}
    </div>
  );
}

/** A rule for a whole record gives one field for each of its keys. */
function partsOf(to: string, fields: Record<string, unknown>): Record<string, unknown> | undefined {
  const parts = Object.entries(fields).filter(([name]) => to !== "" && name.startsWith(`${to}.`));
  return parts.length === 0
    ? undefined
    : Object.fromEntries(parts.map(([name, value]) => [name.slice(to.length + 1), value]));
}

const textOf = (value: MappingRule[SourceName]) => (Array.isArray(value) ? value.join(", ") : String(value ?? ""));

/** A list stays a list. */
function likeBefore(text: string, before: MappingRule[SourceName]): MappingRule[SourceName] {
  return Array.isArray(before) ? text.split(/,\s*/) : text;
}

function without(rule: MappingRule, name: SourceName): MappingRule {
  const { [name]: _, ...rest } = rule;
  return rest;
}
