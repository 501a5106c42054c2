import { expect, test } from "vitest";
import { ticketColumns } from "#app/(dashboard)/_tickets/ticket-columns.tsx";
import { Entry } from "#app/(dashboard)/_timeline/entry.tsx";
import type { TicketItem } from "#lib/reports/shapes.ts";
import type { FeedEntry } from "#lib/timeline/shapes.ts";
import { renderUi } from "./render.tsx";

const hostile = [
  '<script>globalThis.stolen = "yes"</script>',
  '"><img src=x onerror="globalThis.stolen = 1">',
  "<svg/onload=globalThis.stolen=1>",
  "<iframe srcdoc='<script>parent.stolen=1</script>'></iframe>",
  "javascript:globalThis.stolen=1",
  "{{constructor.constructor('stolen=1')()}}",
  "\u001b[31mred\u001b[0m \u202egnp.exe",
];

const url = "https://acme.zendesk.com/agent/tickets/1";
const at = "2026-03-02T09:00:00Z";

test.each(hostile)("%j of a ticket stands there as text and makes no element", (text) => {
  const people = { reporter: text, group: text, assignee: text };
  const entry: FeedEntry = {
    id: "1",
    kind: "rating_bad",
    occurredAt: at,
    derived: true,
    priorityThen: text,
    ticket: { id: "1", subject: text, priority: text, reportedAt: at, url, ...people },
    rating: { score: text, comment: text },
    account: { id: "1", name: text },
  };
  const ticket = {
    ...entry.ticket,
    status: text,
    createdAt: at,
    updatedAt: at,
    solvedAt: at,
    rating: { score: text, comment: text },
  } as unknown as TicketItem;
  const { container } = renderUi(
    <>
      <ul>
        <Entry entry={entry} />
      </ul>
      {ticketColumns.map((column) => (
        <div key={column.id}>{column.cell(ticket)}</div>
      ))}
    </>,
  );
  expect(container.textContent).toContain(text);
  expect(container.querySelectorAll("script, img, iframe, [onerror], [onload], [srcdoc]")).toHaveLength(0);
  for (const link of container.querySelectorAll("a"))
    expect(link.getAttribute("href")).toMatch(/^(https:\/\/acme\.zendesk\.com\/|\/accounts\/1$)/);
  expect(globalThis).not.toHaveProperty("stolen");
});
