import { flagOf } from "#lib/destinations/procedures/command-fields.ts";
import type { ActionKey, Settings } from "#lib/destinations/shapes.ts";

/** Why a command is not even tried. `fix` tells a developer what to send otherwise. */
export interface Refusal {
  code: string;
  reason: string;
  fix: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** What keeps an action from being done, told from the event alone; null where Zendesk may be asked. */
export function refusalOf(action: ActionKey, fields: Fields, settings: Settings): Refusal | null {
  return refused[action](fields, settings);
}

/** Whether the fields name a user: by an id in Zendesk, an id of the sender's, or an e-mail. */
const namesUser = (fields: Fields, prefix: string) =>
  ["id", "external_id", "email"].some((name) => fields[`${prefix}${name}`] !== undefined);

const refused: Record<ActionKey, (fields: Fields, settings: Settings) => Refusal | null> = {
  upsert_user: (fields) =>
    namesUser(fields, "")
      ? null
      : {
          code: "missing_email",
          reason: "The identify names nobody: it has neither traits.email nor userId.",
          fix: "Send traits.email with the identify, and userId where you have one; then replay this delivery, or send the call again.",
        },
  upsert_organization: (fields, settings) => {
    if (fields.external_id === undefined) {
      return {
        code: "missing_group_id",
        reason: "The group call has no groupId, so nobody can tell which organization it means.",
        fix: "Send groupId: your own id of the company, which becomes the external id of the organization in Zendesk.",
      };
    }
    if (flagOf({ fields }, "deleted") === true) return deletionNotDone(fields.external_id);
    if (settings.acceptGroupWithoutUser || namesUser(fields, "user.")) return null;
    return {
      code: "group_without_user",
      reason: "The group call has no userId, and this destination takes no group calls without a user.",
      fix: "Send userId with the group call, or switch on “Accept group calls without a user” in the destination's settings, then replay.",
    };
  },
  update_membership: (fields, settings) => {
    if (!namesUser(fields, "user.")) return missingUser("The identify");
    if (fields.organization_id === undefined) {
      return {
        code: "missing_company_id",
        reason: "The identify has no company.id, so nobody can tell which organization it means.",
        fix: "Send traits.company.id: the id of the organization in Zendesk, or your own id of it.",
      };
    }
    if (settings.allowRemovals || flagOf({ fields }, "remove") !== true) return null;
    return {
      code: "removals_off",
      reason: "The event asks to remove the user from an organization, and this destination does not allow that.",
      fix: "Allow removals in the destination's settings, then replay this; or leave company.remove out.",
    };
  },
  create_ticket: (fields) => {
    if (fields.comment === undefined) {
      return {
        code: "missing_comment",
        reason: "The ticket has no text: Zendesk takes no ticket without a comment.",
        fix: "Send properties.comment (or body, or description), or give the mapping of comment a default.",
      };
    }
    if (namesUser(fields, "requester.")) return null;
    return {
      code: "missing_requester",
      reason: "The event does not tell whose ticket it is.",
      fix: "Send userId, properties.email, or context.zendesk_user_id with the event.",
    };
  },
  update_ticket: (fields) =>
    fields.id !== undefined || fields.external_id !== undefined
      ? null
      : {
          code: "missing_ticket_id",
          reason: "The event does not tell which ticket is to be changed.",
          fix: "Send properties.ticket_id (its id in Zendesk) or properties.external_id (the one that it was created with).",
        },
  track_event: (fields) => {
    if (fields.type === undefined) {
      return {
        code: "missing_event_name",
        reason: "The track call has no event name.",
        fix: "Send the name of the event in the field event.",
      };
    }
    return namesUser(fields, "user.") ? null : missingUser("The track call");
  },
};

/** With an organization go its memberships and the organization of its tickets: no event does that (C-36). */
function deletionNotDone(externalId: unknown): Refusal {
  return {
    code: "deletion_not_done",
    reason: `The group call says deleted: true. Organizations are not deleted by events: with one go its memberships and the organization of its tickets. Nothing was written to the one with the external id ${externalId}.`,
    fix: "Delete it in Zendesk if you mean to, or leave traits.deleted out.",
  };
}

function missingUser(call: string): Refusal {
  return {
    code: "missing_user",
    reason: `${call} belongs to nobody: it has neither userId, nor an e-mail, nor context.zendesk_user_id.`,
    fix: "Identify the user before, so that the SDK sends userId with every call, or send the e-mail in properties.email.",
  };
}
