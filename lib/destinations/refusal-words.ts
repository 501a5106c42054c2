import type { ZendeskError } from "#lib/zendesk/failures.ts";

export const closedTicket = "A closed ticket cannot be changed: let the action create a new one instead.";

/** Why Zendesk will never take this as it is, in its own words, and what a person can do (row 100). */
export function wordsOfRefusal(error: ZendeskError): { code: string; reason: string; fix: string } {
  const { status, said, details, message } = error;
  if (error.code === "missing_scope") return missingScope(said);
  if (status === 403)
    return {
      code: "forbidden",
      reason: message,
      fix: "Check in Zendesk that the connected login is an administrator and that the plan includes this, then replay.",
    };
  if (status === 404)
    return {
      code: "not_found",
      reason: `What was to be written does not exist in Zendesk any more. ${message}`,
      fix: "It was deleted or merged in Zendesk. Replay looks for it anew.",
    };
  if (details.length === 0)
    return {
      code: "refused",
      reason: message,
      fix: "Correct the value at its source or in the action's mapping, then replay.",
    };
  const words = details.map(({ field, description, error: code }) => {
    // Zendesk begins some descriptions with the field, as it is named on its own screens.
    const prefix = `${field.replaceAll("_", " ")}: `;
    const isNamed = description.toLowerCase().startsWith(prefix.toLowerCase());
    const alone = isNamed ? description.slice(prefix.length) : description;
    const named = field === "base" ? description : `${field}: ${alone}`;
    return code ? `${named} (${code})` : named;
  });
  return { code: "refused", reason: `Zendesk refuses it (${status}): ${words.join("; ")}.`, fix: fixOf(error) };
}

function missingScope(said: string): { code: string; reason: string; fix: string } {
  const scopes = /required scopes?:?\s*([\w: ,]+)/i.exec(said)?.[1]?.trim() || "write";
  return {
    code: "missing_scope",
    reason: `The connection's login may not do this: ${said}.`,
    fix: `Give the connection's login the scope “${scopes}” (reconnect it to read and write), then replay.`,
  };
}

function fixOf({ details }: ZendeskError): string {
  const text = details.map(({ description, error }) => `${description} ${error}`).join(" ");
  const fields = details
    .map(({ field }) => field)
    .filter((field) => field !== "base")
    .join(", ");
  if (/closed/i.test(text)) return closedTicket;
  if (/DuplicateValue|already/i.test(text))
    return `Another record in Zendesk has this ${fields || "value"}: merge the two there or correct the value, then replay.`;
  return `Correct ${fields || "the value"} at its source or in the action's mapping, then replay.`;
}
