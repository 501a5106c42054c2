import type { Id } from "../world/ids.ts";

export type EffectKind =
  | "user.created"
  | "user.updated"
  | "user.deleted"
  | "identity.created"
  | "identity.made_primary"
  | "identity.removed"
  | "verification_mail.sent"
  | "organization.created"
  | "organization.updated"
  | "organization.deleted"
  | "membership.created"
  | "membership.removed"
  | "membership.made_default"
  | "ticket.created"
  | "ticket.updated"
  | "user_field.created"
  | "user_field.updated"
  | "user_field.deleted"
  | "organization_field.created"
  | "organization_field.updated"
  | "organization_field.deleted"
  | "customer_event.received"
  | "profile.created";

/** One thing that is different in an account since a write was applied. */
export interface Effect {
  /** Wall clock, milliseconds. */
  at: number;
  /** The account's own clock. */
  worldAt: number;
  subdomain: string;
  kind: EffectKind;
  id: Id;
  /** By Zendesk's names: of a new row what was given, of a changed one the new values of what did change. */
  values: Record<string, unknown>;
  idempotencyKey?: string;
  /** As `message_id` or `messageId` among a customer event's properties. */
  messageId?: string;
  /** The user whose credentials did it, or `job` for what Zendesk does by itself afterwards. */
  by: Id | "job";
  /** `x-request-id` of the request's answer; see `JournalEntry.requestId`. */
  requestId: string;
}

/**
 * What writes over the API have done, each once and in order, whether or not anybody was told: answers that were lost left
 * their effects here, refused or repeated writes that changed nothing did not. What tests change in a world is not here.
 */
export class Effects {
  readonly entries: Effect[] = [];

  add(effect: Effect): void {
    this.entries.push(effect);
  }

  /** Those of a kind, or of all kinds of a row: `ticket.created`, or `ticket`. */
  of(kind: EffectKind | (string & {}), subdomain?: string): Effect[] {
    return this.entries.filter(
      (effect) =>
        (effect.kind === kind || effect.kind.startsWith(`${kind}.`)) &&
        (subdomain === undefined || effect.subdomain === subdomain),
    );
  }

  /** Effects of a kind that happened more than once, by what makes two of them the same (INV-ONCE). */
  repeated(kind: EffectKind, sameAs: (effect: Effect) => string | null | undefined): Map<string, Effect[]> {
    const groups = new Map<string, Effect[]>();
    for (const effect of this.of(kind)) {
      const key = sameAs(effect);
      if (key == null) continue;
      const whole = `${effect.subdomain} ${key}`;
      groups.set(whole, [...(groups.get(whole) ?? []), effect]);
    }
    return new Map([...groups].filter(([, effects]) => effects.length > 1));
  }

  clear(): void {
    this.entries.length = 0;
  }
}
