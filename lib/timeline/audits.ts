import type { TicketEventField } from "#lib/zendesk/row-types.ts";
import { categoryOfStatus, type StatusCategory } from "./kinds.ts";

/** One change of one field, as the ticket events export told it. */
export interface TicketChange {
  /** Id of the audit: changes of one audit happened together. */
  auditId: string;
  field: TicketEventField;
  /** Counts the changes of the same field within one audit. */
  position: number;
  occurredAt: Date;
  kind: "create" | "change";
  value: string | null;
  previous: string | null;
}

/** The changes that one update of a ticket made, in order. */
export interface Audit {
  id: bigint;
  /** Whole seconds, Unix. */
  second: number;
  changes: TicketChange[];
}

/** Categories of custom statuses, by id and by label (lower case). */
export type StatusCategories = ReadonlyMap<string, StatusCategory>;

export interface StatusStep {
  /** Null where the update did not say, or said a word that is not known. */
  from: StatusCategory | null;
  to: StatusCategory;
}

/** Groups changes by audit and puts the audits in the order in which they happened: by time, then by id. */
export function auditsInOrder(changes: readonly TicketChange[]): Audit[] {
  const audits = new Map<string, Audit>();
  for (const change of changes) {
    const audit = audits.get(change.auditId);
    if (audit) audit.changes.push(change);
    else {
      const second = wholeSecond(change.occurredAt);
      audits.set(change.auditId, { id: BigInt(change.auditId), second, changes: [change] });
    }
  }
  const ordered = [...audits.values()].sort((a, b) => a.second - b.second || (a.id < b.id ? -1 : 1));
  for (const audit of ordered) audit.changes.sort((a, b) => a.position - b.position);
  return ordered;
}

export function isCreation(audit: Audit): boolean {
  return audit.changes.some((change) => change.kind === "create");
}

export function changesOf(audit: Audit, field: TicketEventField): TicketChange[] {
  return audit.changes.filter((change) => change.field === field);
}

/**
 * What an audit did to the status, as categories. A word that is not Zendesk's own is looked up among the custom statuses,
 * first itself, then by the custom status that changed beside it; one that stays unknown (`deleted` too) is no step.
 */
export function statusSteps(audit: Audit, custom: StatusCategories): StatusStep[] {
  const beside = changesOf(audit, "custom_status_id");
  const named = changesOf(audit, "status").map((change, index) => {
    const customChange = beside[index];
    return {
      from: categoryOf(change.previous, custom) ?? categoryOf(customChange?.previous ?? null, custom),
      to: isDeletion(change)
        ? null
        : (categoryOf(change.value, custom) ?? categoryOf(customChange?.value ?? null, custom)),
    };
  });
  const steps =
    named.length > 0
      ? named
      : beside.map(({ previous, value }) => ({ from: categoryOf(previous, custom), to: categoryOf(value, custom) }));
  return steps.filter((step): step is StatusStep => step.to !== null);
}

export function wholeSecond(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}

function isDeletion(change: TicketChange): boolean {
  return change.value?.toLowerCase() === "deleted";
}

function categoryOf(word: string | null, custom: StatusCategories): StatusCategory | null {
  if (word === null) return null;
  return categoryOfStatus(word) ?? custom.get(word.toLowerCase()) ?? null;
}
