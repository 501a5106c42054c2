"use client";

import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { destinationQueries, type PreviewItem } from "#app/_queries/destinations.ts";
import { Button } from "#app/_ui/button.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Facts } from "#app/_ui/section.tsx";
import { traitPolicyWords } from "#app/(dashboard)/destinations/destination-words.ts";
import { useCustomFields } from "#app/(dashboard)/destinations/use-custom-fields.ts";
import { ValueText } from "#app/(dashboard)/destinations/value-text.tsx";
import type { CustomFieldList } from "#lib/connections/shapes.ts";
import { actionDefinitions, subjectsOfRecords } from "#lib/destinations/actions.ts";
import { fieldNamed, fillersOf, keyOf, snakeCase } from "#lib/destinations/procedures/field-values.ts";
import type { ActionKey, MappingRule } from "#lib/destinations/shapes.ts";
import { stepTo } from "./event-paths.ts";

type ActionResultProps = {
  destinationId: string;
  item: PreviewItem;
  /** Given to those who may change mappings. */
  onAddRule?: (key: ActionKey, rule: MappingRule) => void;
};

/** What one action would send: its values, what goes along with a new user, what is left out and why. */
export function ActionResult({ destinationId, item, onAddRule }: ActionResultProps) {
  const { key, triggered, enabled, fields, creation, problems } = item;
  const { name } = actionDefinitions[key];
  const refusal = refusalIn(item);
  const left = problems.filter(({ field }) => field !== "");
  return (
    <section aria-label={name} className="flex flex-col gap-3 [&_dl]:grid-cols-[minmax(8rem,max-content)_1fr]">
      <div>
        <h3 className="font-medium">{name}</h3>
        <p className="text-table text-muted">
          {triggered
            ? enabled
              ? "It is for this event and would write:"
              : "It is off; on, it would write:"
            : "It is not for this event."}
        </p>
      </div>
      {refusal && (
        <Notice kind="failure" title="It would fail: nothing is written">
          {refusal}
        </Notice>
      )}
      {triggered && <Values values={fields} />}
      {triggered && Object.keys(creation).length > 0 && (
        <div>
          <h4 className="mb-1 text-table font-medium">And if Zendesk does not know the user</h4>
          <Values values={creation} />
        </div>
      )}
      {triggered && left.length > 0 && (
        <div>
          <h4 className="mb-1 text-table font-medium">Left out or done otherwise</h4>
          <Facts facts={left.map(({ field, message }) => ({ term: field, value: message }))} />
        </div>
      )}
      {triggered && <Unmapped destinationId={destinationId} item={item} onAddRule={onAddRule} />}
    </section>
  );
}

/** Why the action as a whole would fail; null where it would not. */
export const refusalIn = ({ problems }: PreviewItem) => problems.find(({ field }) => field === "")?.message ?? null;

function Values({ values }: { values: Record<string, unknown> }) {
  const entries = Object.entries(values);
  if (entries.length === 0) return null;
  return <Facts facts={entries.map(([term, value]) => ({ term, value: <ValueText value={value} /> }))} />;
}

/** Traits that go to custom fields of their name, and what happens where there is none. */
function Unmapped({ destinationId, item: { key, fields, unmapped }, onAddRule }: ActionResultProps) {
  const settings = useQuery(destinationQueries.one(destinationId)).data?.settings;
  const record = actionDefinitions[key].records[0];
  const subject = subjectsOfRecords[record ?? ""] ?? null;
  const known = useCustomFields(destinationId, subject);
  const traits = Object.entries(unmapped);
  if (traits.length === 0 || !settings) return null;
  const ruled = Object.keys(fields).flatMap((to) =>
    to.startsWith(`${record}.`) ? [to.slice(`${record}.`.length)] : [],
  );
  const fillers = fillersOf(known?.items ?? [], ruled, Object.keys(unmapped));
  const policy = key === "upsert_user" ? settings.unknownUserTraits : settings.unknownOrganizationTraits;
  return (
    <div>
      <h4 className="text-table font-medium">Traits that no rule names</h4>
      <p className="mb-1 text-small text-muted">
        Written to the custom field of that name. Where Zendesk has none, {traitPolicyWords[policy]}.{" "}
        {known && (
          <Link external href={known.definedAt}>
            Its {subject} fields
          </Link>
        )}
      </p>
      <ul className="text-table">
        {traits.map(([trait, value]) => (
          <li key={trait} className="flex min-h-7 items-center gap-2">
            <span className="min-w-0 flex-1 break-words">
              <span className="text-muted">{trait}</span> <ValueText value={value} />
              {known && <Target trait={trait} known={known} fillers={fillers} />}
            </span>
            {onAddRule && record && (
              <Button
                size="sm"
                variant="ghost"
                aria-label={`Map ${trait}`}
                onClick={() => onAddRule(key, { to: `${record}.${snakeCase(trait)}`, from: pathOf(key, trait) })}
              >
                <Plus aria-hidden />
                Map it
              </Button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

type TargetProps = { trait: string; known: CustomFieldList; fillers: ReadonlyMap<string, string> };

/** The custom field to which a trait goes, or the key of the one that is missing (C-39); or what goes there instead. */
function Target({ trait, known, fillers }: TargetProps) {
  const field = fieldNamed(known.items, trait);
  if (!field && known.nextCursor !== null) return null;
  const key = keyOf(known.items, trait);
  const filler = fillers.get(key);
  const isLeftOut = filler !== undefined && filler !== trait;
  return (
    <span className="block text-small text-muted">
      {isLeftOut
        ? `left out: for the field ${key}, ${filler} counts`
        : field
          ? `to ${field.title ?? "the field"} (${field.key})`
          : `no field ${key} when Zendesk was read last`}
    </span>
  );
}

/** Wherever the action looks for traits that no rule names: a rule that looked in fewer places would lose the value. */
const pathOf = (key: ActionKey, trait: string) =>
  actionDefinitions[key].candidates.from.map((place) => `${place}${stepTo(trait)}`).join(" | ");
