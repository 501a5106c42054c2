import type { FieldSubject } from "#lib/connections/shapes.ts";

/** What has a page of its own in Zendesk's interface for agents. */
export type AgentPageKind = "tickets" | "users" | "organizations";

/**
 * The page that an agent opens. `zendeskUrl` is the configured address (`config.zendesk.urlTemplate`): what is read from a
 * stand-in or by way of a proxy is opened there too, never in a real account that happens to bear the name.
 */
export function agentPage(zendeskUrl: string, subdomain: string, kind: AgentPageKind, id: string): string {
  return `${zendeskUrl.replaceAll("{subdomain}", subdomain)}/agent/${kind}/${id}`;
}

/** The page of the Admin Center on which the custom fields of tickets, users or organizations are defined (C-19). */
export function customFieldsPage(zendeskUrl: string, subdomain: string, subject: FieldSubject): string {
  const place = subject === "ticket" ? "objects-rules/tickets/ticket-fields" : `people/configuration/${subject}_fields`;
  return `${zendeskUrl.replaceAll("{subdomain}", subdomain)}/admin/${place}`;
}
