"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type FormEvent, useId } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { destinationQueries, putWriteBack, type WriteBackRule } from "#app/_queries/destinations.ts";
import { Button } from "#app/_ui/button.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { Section } from "#app/_ui/section.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { CustomFieldOptions } from "#app/(dashboard)/custom-field-options.tsx";
import { useCustomFields } from "#app/(dashboard)/destinations/use-custom-fields.ts";
import { PendingChanges } from "./pending-changes.tsx";
import { RuleFields } from "./rule-fields.tsx";

type WriteBackRulesProps = {
  destinationId: string;
  /** What is not saved yet; null while nothing was changed. Kept by the screen, so that another tab does not lose it. */
  draft: readonly WriteBackRule[] | null;
  onDraft: (draft: readonly WriteBackRule[] | null) => void;
};

/** Which of our numbers are written to organization fields in Zendesk; none, until chosen. */
export function WriteBackRules(props: WriteBackRulesProps) {
  const { destinationId } = props;
  const writeBack = useQuery(destinationQueries.writeBack(destinationId));
  return (
    <div className="flex max-w-4xl flex-col gap-8">
      <QueryStates query={writeBack} what="the write-back" skeleton={<SkeletonLines lines={6} />}>
        {(value) => (
          <div className="flex flex-col gap-8">
            <Rules {...props} saved={value.rules} />
            <PendingChanges destinationId={destinationId} pending={value.pending} tried={value.tried} />
          </div>
        )}
      </QueryStates>
    </div>
  );
}

function Rules({ destinationId, draft, onDraft, saved }: WriteBackRulesProps & { saved: readonly WriteBackRule[] }) {
  const { user } = useSession();
  const editable = user.role === "admin";
  const client = useQueryClient();
  const rules = draft ?? saved;
  const changed = isChanged(draft, saved);
  const fieldsId = useId();
  const fields = useCustomFields(destinationId, editable ? "organization" : null);
  const save = useMutation({
    mutationFn: () => putWriteBack(destinationId, { rules: [...rules] }),
    onSuccess: async () => {
      toast.success("Saved.");
      await client.invalidateQueries({ queryKey: destinationQueries.all() });
      onDraft(null);
    },
  });
  const error = save.error instanceof ApiError ? save.error : null;
  const change = (next: readonly WriteBackRule[] | null) => {
    // What was said about the rules as they were says nothing about these.
    save.reset();
    onDraft(next);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Section
      title="Numbers written to organizations"
      description="Written when they change, for every organization that is matched to an account."
    >
      <form onSubmit={submit} className="flex flex-col gap-3">
        {rules.length === 0 && <p className="text-table text-muted">Nothing is written back.</p>}
        <datalist id={fieldsId}>
          <CustomFieldOptions fields={fields?.items} />
        </datalist>
        <ul aria-label="Rules" className="flex flex-col gap-3">
          {rules.map((rule, at) => (
            <RuleFields
              // biome-ignore lint/suspicious/noArrayIndexKey: the place is what a rule is known by; it holds no state
              key={at}
              fieldsId={fieldsId}
              rule={rule}
              place={at + 1}
              editable={editable}
              fieldError={error?.about(`rules.${at}.organizationField`) ?? null}
              measureError={error?.about(`rules.${at}.measure`) ?? null}
              onChange={(next) => change(rules.with(at, next))}
              onRemove={() => change(rules.toSpliced(at, 1))}
            />
          ))}
        </ul>
        {editable && (
          <div className="flex flex-wrap gap-2">
            <Button
              size="sm"
              disabled={rules.length >= 20}
              onClick={() => change([...rules, { organizationField: "", measure: "topUnsolved", enabled: false }])}
            >
              <Plus aria-hidden />
              Add a number
            </Button>
            <Button type="submit" size="sm" variant="primary" busy={save.isPending} disabled={!changed}>
              Save
            </Button>
            {changed && (
              <Button size="sm" variant="ghost" onClick={() => change(null)}>
                Undo changes
              </Button>
            )}
          </div>
        )}
        {save.error && (
          <Notice
            kind="failure"
            announce
            title={error?.details.length ? "Not saved: see what is said at the marked fields." : reasonOf(save.error)}
          />
        )}
      </form>
    </Section>
  );
}

/** Whether the draft says anything else than what is saved. */
export function isChanged(draft: readonly WriteBackRule[] | null, saved: readonly WriteBackRule[]): boolean {
  return draft !== null && textOf(draft) !== textOf(saved);
}
const textOf = (rules: readonly WriteBackRule[]) =>
  JSON.stringify(rules.map(({ organizationField, measure, enabled }) => [organizationField, measure, enabled]));
