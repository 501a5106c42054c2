"use client";

import { ArrowDown, ArrowUp, Trash2 } from "lucide-react";
import { IconButton } from "#app/_ui/icon-button.tsx";
import { Num } from "#app/_ui/num.tsx";
import { Select } from "#app/_ui/select.tsx";
import { Skeleton } from "#app/_ui/skeleton.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import type { MatchKey, Normalization } from "#lib/matching/shapes.ts";

const FIELD = "organization_fields.";
const ATTRIBUTE = "attributes.";

const organizationFields = [
  { value: "id", label: "Id" },
  { value: "external_id", label: "External id" },
  { value: "name", label: "Name" },
  { value: FIELD, label: "Custom field…" },
  { value: "domain_names", label: "Domain names", detail: "often shared: prefer another key" },
];
const accountFields = [
  { value: "externalId", label: "External id" },
  { value: "name", label: "Name" },
  { value: ATTRIBUTE, label: "Attribute…" },
  { value: "id", label: "Id here" },
];
const normalizations: { value: Normalization; label: string; detail: string }[] = [
  { value: "exact", label: "exactly", detail: "case sensitive, as it stands" },
  { value: "case_insensitive", label: "ignoring case", detail: "trimmed, lower case" },
  { value: "domain", label: "as a domain", detail: "host only; free-mail domains never match" },
];

type KeyRungProps = {
  index: number;
  /** Of the `datalist` that offers custom fields. */
  fieldsId: string;
  matchKey: MatchKey;
  organizations: number | null;
  hits: { matched: number; ambiguous: number } | null;
  editable: boolean;
  onChange: (key: MatchKey) => void;
  onMoveUp?: () => void;
  onMoveDown?: () => void;
  onRemove: () => void;
};

/** One key of the ladder: which field meets which, how they are compared, how many organizations it decides. */
export function KeyRung(props: KeyRungProps) {
  const { index, matchKey, editable, onChange, hits, organizations } = props;
  const place = index + 1;
  const organization = splitField(matchKey.organizationField, FIELD);
  const account = splitField(matchKey.accountField, ATTRIBUTE);
  return (
    <li className="flex flex-col gap-1 py-3">
      <div className="relative flex flex-wrap items-end gap-2 ps-7">
        <span className="absolute start-0 top-1.5 text-muted tabular-nums">{place}.</span>
        <Select
          label={`Organization field of key ${place}`}
          labelHidden
          disabled={!editable}
          value={organization.kind}
          options={organizationFields}
          onChange={(kind) => onChange({ ...matchKey, organizationField: kind, normalize: natural(kind, matchKey) })}
        />
        {organization.key !== null && (
          <div className="w-40">
            <TextField
              label={`Custom field key of key ${place}`}
              labelHidden
              disabled={!editable}
              placeholder="field key"
              list={props.fieldsId}
              autoComplete="off"
              spellCheck={false}
              value={organization.key}
              onChange={(key) => onChange({ ...matchKey, organizationField: FIELD + key.trim() })}
            />
          </div>
        )}
        <span className="self-center text-muted">meets</span>
        <Select
          label={`Account field of key ${place}`}
          labelHidden
          disabled={!editable}
          value={account.kind}
          options={accountFields}
          onChange={(kind) => onChange({ ...matchKey, accountField: kind })}
        />
        {account.key !== null && (
          <div className="w-40">
            <TextField
              label={`Attribute of key ${place}`}
              labelHidden
              disabled={!editable}
              placeholder="attribute"
              value={account.key}
              onChange={(key) => onChange({ ...matchKey, accountField: ATTRIBUTE + key.trim() })}
            />
          </div>
        )}
        <Select
          label={`Comparison of key ${place}`}
          labelHidden
          disabled={!editable}
          value={matchKey.normalize}
          options={normalizations}
          onChange={(normalize) => onChange({ ...matchKey, normalize: normalize as Normalization })}
        />
      </div>
      <div className="flex min-h-8 items-center gap-3 ps-7">
        <HitRate hits={hits} organizations={organizations} />
        {editable && (
          <span className="ms-auto flex">
            <IconButton
              label={`Move key ${place} up`}
              icon={<ArrowUp aria-hidden />}
              disabled={!props.onMoveUp}
              onClick={props.onMoveUp}
            />
            <IconButton
              label={`Move key ${place} down`}
              icon={<ArrowDown aria-hidden />}
              disabled={!props.onMoveDown}
              onClick={props.onMoveDown}
            />
            <IconButton label={`Remove key ${place}`} icon={<Trash2 aria-hidden />} onClick={props.onRemove} />
          </span>
        )}
      </div>
    </li>
  );
}

/** Matched, ambiguous and left over of all organizations, as a bar and in words. */
function HitRate({ hits, organizations }: Pick<KeyRungProps, "hits" | "organizations">) {
  if (!hits || !organizations) return <Skeleton className="w-40" />;
  const share = Math.round((hits.matched * 100) / organizations);
  const left = organizations - hits.matched - hits.ambiguous;
  return (
    <>
      <div aria-hidden className="flex h-1.5 w-28 shrink-0 overflow-hidden rounded-full bg-line max-sm:hidden">
        <div className="bg-series-1" style={{ width: `${(hits.matched * 100) / organizations}%` }} />
        <div className="bg-watch" style={{ width: `${(hits.ambiguous * 100) / organizations}%` }} />
      </div>
      <span className="text-table text-muted tabular-nums">
        <span className="text-ink">
          <Num value={hits.matched} /> matched
        </span>{" "}
        ({share} %)
        {hits.ambiguous > 0 && (
          <>
            , <Num value={hits.ambiguous} /> ambiguous
          </>
        )}
        , <Num value={left} /> left over
      </span>
    </>
  );
}

function splitField(field: string, prefix: string): { kind: string; key: string | null } {
  return field.startsWith(prefix) ? { kind: prefix, key: field.slice(prefix.length) } : { kind: field, key: null };
}

/** Domain names are compared as domains; what was so compared before goes back to exactly. */
function natural(field: string, { normalize }: MatchKey): Normalization {
  if (field === "domain_names") return "domain";
  return normalize === "domain" ? "exact" : normalize;
}
