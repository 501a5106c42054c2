import { type Answer, htmlPage, Refusal } from "./answer.ts";
import type { AccountRequest } from "./request.ts";

/** What people open: `/agent/tickets/{id}`, `/agent/users/{id}` and `/agent/organizations/{id}`, to be read without signing in. */
export function answerAgentPage({ method, path, world }: AccountRequest): Answer {
  const [, kind, id = ""] = /^\/agent\/(tickets|users|organizations)\/(\d+)$/.exec(path) ?? [];
  if (method !== "GET" || kind === undefined) throw notThere();
  if (kind === "tickets") {
    const ticket = world.tickets.byId.get(id);
    if (ticket === undefined || ticket.deleted) throw notThere();
    const requester = world.users.byId.get(ticket.requesterId)?.name ?? "";
    const assignee = world.users.byId.get(ticket.assigneeId ?? "")?.name ?? "nobody";
    const organization = world.organizations.byId.get(ticket.organizationId ?? "")?.name ?? "none";
    return page(`#${id} ${ticket.subject}`, [
      ["Status", ticket.status],
      ["Priority", ticket.priority ?? "none"],
      ["Requester", requester],
      ["Organization", organization],
      ["Assignee", assignee],
      ["Updated", new Date(ticket.updatedAt).toISOString()],
    ]);
  }
  const row = kind === "users" ? world.users.byId.get(id) : world.organizations.byId.get(id);
  if (row === undefined) throw notThere();
  return page(row.name, []);
}

function page(title: string, facts: readonly (readonly [string, string])[]): Answer {
  const rows = facts.map(([term, value]) => `<dt>${term}</dt><dd>${escaped(value)}</dd>`).join("");
  return {
    status: 200,
    contentType: "text/html; charset=utf-8",
    text: `<!DOCTYPE html>
<html lang="en"><head><title>${escaped(title)}</title><meta name="viewport" content="width=device-width">
<style>body{font:16px system-ui;margin:3rem auto;max-width:40rem;padding:0 1rem}dl{display:grid;grid-template-columns:8rem 1fr;gap:.5rem}dt{color:#666}dd{margin:0}</style></head>
<body><p>A stand-in Zendesk</p><h1>${escaped(title)}</h1><dl>${rows}</dl></body></html>
`,
  };
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (mark) => entities[mark] ?? mark);
}

function notThere(): Refusal {
  return new Refusal(htmlPage(404, "Page not found"));
}
