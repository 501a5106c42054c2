import type { Db } from "#db/client.ts";
import type { CommandKind, Settings } from "#lib/destinations/shapes.ts";
import type { Answer } from "#lib/zendesk/answers.ts";
import type { Get, Write } from "#lib/zendesk/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** What an event, or a number of ours, means to Zendesk; kept as JSON text with its delivery. */
export interface Command {
  /** By Zendesk's names of fields; custom ones as `user_fields.<key>`, `organization_fields.<key>`, `custom_fields.<id>`. */
  fields: Record<string, unknown>;
  /** Traits that no rule names: candidates for custom fields, by their names in the event. */
  unmapped: Record<string, unknown>;
}

/** An exchange with Zendesk of an earlier attempt at the same command. */
export interface EarlierExchange {
  attempt: number;
  step: string;
  isWrite: boolean;
  method: string;
  path: string;
  /** As it was sent; secrets were never in it. */
  request: unknown;
  status: number | null;
  /** `open`: sent, and the process died before the answer; as `unknown`, it may or may not have happened. */
  outcome: "open" | "done" | "refused" | "unknown" | "not_sent";
  sentAt: Date;
}

/** What a write is meant to do, as a person is told before it is done. */
export interface Intent {
  verb: "create" | "change" | "remove" | "none";
  what: string;
  zendeskId: string | null;
  changes: { field: string; from: unknown; to: unknown }[];
}

/** A working ticket that Zendesk takes from its organization and its assignee when its requester leaves (C-23). */
export interface AffectedTicket {
  id: string;
  subject: string;
  status: string;
}

/** Zendesk as a procedure sees it: every exchange is noted with the delivery, a write before it is sent (row 96). */
export interface NotedZendesk {
  /** Asks; null where Zendesk answers 404. Throws WaitNeeded, or ZendeskError. */
  find(step: string, path: string, get: Get): Promise<Answer | null>;
  /**
   * Writes, once. Throws WaitNeeded when it was not sent, ZendeskError `outcome_unknown` when it may have happened, else a
   * ZendeskError with Zendesk's words. In a dry run only the intent is noted, and `supposed` is the answer. `affects`: what
   * Zendesk does besides; it is kept with the delivery, whether the answer comes or not.
   */
  write(
    step: string,
    method: "POST" | "PUT" | "DELETE",
    path: string,
    body: unknown,
    write: Write & { intent: Intent; supposed?: Answer["body"]; affects?: readonly AffectedTicket[] },
  ): Promise<Answer | null>;
}

/** One try at a command. */
export interface Attempt {
  delivery: {
    id: string;
    action: CommandKind;
    messageId: string | null;
    /** Names the command, the same for every try: what makes an Idempotency-Key. */
    commandKey: string;
    createdAt: Date;
    /** Codes for which it was held and a person has allowed it: each hold has its own, and needs its own word. */
    approvedFor: readonly string[];
    /** Of a removal: the tickets that a person was shown when it was held last; null where it was not. */
    affected: readonly AffectedTicket[] | null;
  };
  command: Command;
  settings: Settings;
  event: { id: string; type: string; occurredAt: Date; payload: Record<string, unknown> } | null;
  earlier: readonly EarlierExchange[];
  /** A later command about the same user or organization was done already: what that one wrote must stay. */
  isOvertaken: boolean;
  /** The id in Zendesk of what the newest command of a lane that is done has written; null where there is none. */
  written: (lane: string, kind: "user") => Promise<string | null>;
  zendesk: NotedZendesk;
  db: Db;
  scope: Scope;
  clock: () => Date;
  isDryRun: boolean;
}

/** How a try ended. `reason`: what happened; `fix`: what a person can do. `notes`: what was left out or done otherwise. */
export type Verdict =
  | {
      state: "done";
      notes?: string[];
      result?: { kind: string; id: string };
      /** What a removal has unassigned. */
      affected?: readonly AffectedTicket[];
    }
  | {
      state: "failed" | "held" | "unknown";
      code: string;
      reason: string;
      fix: string;
      notes?: string[];
      result?: { kind: string; id: string };
      affected?: readonly AffectedTicket[];
    }
  | { state: "waits"; until: Date; code: string; reason: string };

/** Does one kind of command. It may be run again at any time: it looks first, and writes only what is not so yet. */
export type Procedure = (attempt: Attempt) => Promise<Verdict>;
