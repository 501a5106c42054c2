import type { ActionBody } from "#app/_queries/destinations.ts";
import type { Action, MappingRule } from "#lib/destinations/shapes.ts";
import { conditionWords, isComplete } from "./condition-groups.ts";

export const bodyOf = ({ key, enabled, trigger, mapping }: ActionBody): ActionBody => ({
  key,
  enabled,
  trigger,
  mapping: mapping.map(tidy),
});

/** An action while it is edited, with the version that the change is made of: another one stored by then is not overwritten. */
export type ActionDraft = ActionBody & { expectedVersion?: number | undefined };

export const draftOf = (action: Action): ActionDraft => ({ ...bodyOf(action), expectedVersion: action.version });

/** The list with an action as that version had it, in the place that it had. */
export function takenOver(list: readonly ActionDraft[], version: Action): ActionDraft[] {
  const expectedVersion = list.find(({ key }) => key === version.key)?.expectedVersion;
  return list
    .filter(({ key }) => key !== version.key)
    .toSpliced(version.position, 0, { ...bodyOf(version), expectedVersion });
}

/** A rule without the sources that hold nothing. */
function tidy(rule: MappingRule): MappingRule {
  return Object.fromEntries(
    Object.entries(rule).filter(([name, value]) => name === "to" || (value !== undefined && value !== "")),
  ) as MappingRule;
}

/** Whether nothing is missing that the API would ask for. */
export function canBeAsked(actions: readonly ActionBody[]): boolean {
  return actions.every(
    ({ trigger, mapping }) =>
      isComplete(trigger) && mapping.every((rule) => rule.to.trim() !== "" && Object.keys(tidy(rule)).length > 1),
  );
}

export const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** What a version changed against the one before it, in words: what was, and what is. */
export function changesOf(version: Action, before: Action | undefined): string[] {
  if (!before) return ["as it was first"];
  const changes: string[] = [];
  if (version.enabled !== before.enabled) changes.push(version.enabled ? "switched on" : "switched off");
  if (!isSame(version.trigger, before.trigger))
    changes.push(`trigger: ${conditionWords(before.trigger)} → ${conditionWords(version.trigger)}`);
  const former = new Map(before.mapping.map((rule) => [rule.to, rule]));
  const present = new Map(version.mapping.map((rule) => [rule.to, rule]));
  for (const [to, rule] of former) if (!present.has(to)) changes.push(`removed ${to}: ${sourceWords(rule)}`);
  for (const [to, rule] of present) {
    const was = former.get(to);
    if (!was) changes.push(`added ${to}: ${sourceWords(rule)}`);
    else if (!isSame(rule, was)) changes.push(`${to}: ${sourceWords(was)} → ${sourceWords(rule)}`);
  }
  return changes.length === 0 ? ["another place in the order"] : changes;
}

/** Where a rule takes its value, in the order in which it is asked for. */
function sourceWords({ from, template, value, default: last }: MappingRule): string {
  const fixed = [value, last].map((one) => (one === undefined ? undefined : JSON.stringify(one)));
  return [from, template, ...fixed].filter((one) => one !== undefined).join(", else ");
}
