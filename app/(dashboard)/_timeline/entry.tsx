import { cn } from "#app/_ui/class-names.ts";
import { Hint } from "#app/_ui/hint.tsx";
import { Link } from "#app/_ui/link.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Priority } from "#app/(dashboard)/_tickets/priority.tsx";
import { entryWords, kindWords } from "#app/(dashboard)/_timeline/kind-words.tsx";
import type { FeedEntry, TimelineEntry } from "#lib/timeline/shapes.ts";

type EntryProps = { entry: TimelineEntry | FeedEntry; dense?: boolean };

/** One moment: what happened, to which ticket, who reported it and who has it (T-29). */
export function Entry({ entry, dense = false }: EntryProps) {
  const { icon: Icon, colour } = kindWords[entry.kind];
  const { ticket, event } = entry;
  const account = "account" in entry ? entry.account : null;
  return (
    <li className="grid grid-cols-[4rem_1rem_1fr] gap-x-2 py-1.5">
      <span className="text-end text-table leading-5 text-muted">
        <RelativeTime at={entry.occurredAt} as="time" className="no-underline" />
      </span>
      <Icon aria-hidden className={cn("mt-0.5 size-4", colour)} />
      <div className="min-w-0">
        <div className="flex flex-wrap items-baseline gap-x-2">
          <span className={account ? "text-table leading-5" : "font-medium"}>
            {event?.name ?? entryWords(entry.kind, entry.priorityThen)}
          </span>
          {entry.derived && (
            <Hint
              className="text-small text-muted"
              content="Taken from the ticket itself: its event history does not reach back this far, so the priority then may differ."
            >
              derived
            </Hint>
          )}
        </div>
        {account && (
          <Link
            quiet
            href={`/accounts/${account.id}`}
            className="block truncate leading-6 font-medium"
            title={account.name}
          >
            {account.name}
          </Link>
        )}
        {ticket && <TicketLink ticket={ticket} />}
        {event && <CustomerEvent event={event} dense={dense} />}
        {entry.rating?.comment && (
          <p className="border-s-2 border-line ps-2 text-table text-muted">“{entry.rating.comment}”</p>
        )}
        {ticket && !dense && <TicketFacts ticket={ticket} />}
      </div>
    </li>
  );
}

/** Who did it, and what the sender told of it. */
function CustomerEvent({ event, dense }: { event: NonNullable<TimelineEntry["event"]>; dense: boolean }) {
  const told = Object.entries(event.properties).filter(([name]) => name !== "messageId");
  return (
    <>
      <Link quiet external href={event.user.url} className="flex min-h-6 max-w-full items-center text-table *:shrink-0">
        <span className="min-w-0 shrink! truncate">{event.user.name ?? `User ${event.user.id}`}</span>
      </Link>
      {!dense && told.length > 0 && (
        <p className="mt-0.5 flex flex-wrap gap-x-3 text-small text-muted">
          {told.map(([name, value]) => (
            <span key={name} className="break-words">
              {name}{" "}
              <span className="text-ink">{typeof value === "object" ? JSON.stringify(value) : String(value)}</span>
            </span>
          ))}
        </p>
      )}
    </>
  );
}

/** The subject gives way before the mark that says where the link leads. */
function TicketLink({ ticket }: { ticket: NonNullable<TimelineEntry["ticket"]> }) {
  return (
    <Link
      quiet
      external
      href={ticket.url}
      className="flex min-h-6 max-w-full items-center text-table *:shrink-0"
      title={ticket.subject ?? undefined}
    >
      <span className="min-w-0 shrink! truncate">
        <span className="text-muted tabular-nums">#{ticket.id}</span> {ticket.subject || "(no subject)"}
      </span>
    </Link>
  );
}

function TicketFacts({ ticket }: { ticket: NonNullable<TimelineEntry["ticket"]> }) {
  const { reporter, reportedAt, assignee, group, priority } = ticket;
  return (
    <p className="mt-0.5 flex flex-wrap gap-x-3 text-small text-muted">
      <span>
        reported by <span className="text-ink">{reporter ?? "–"}</span>{" "}
        {reportedAt && <RelativeTime at={reportedAt} className="text-ink" />}
      </span>
      <span>
        assigned to <span className="text-ink">{assignee ?? "nobody"}</span>
        {group && (
          <>
            {" "}
            in <span className="text-ink">{group}</span>
          </>
        )}
      </span>
      <span>
        now <Priority value={priority} />
      </span>
    </p>
  );
}
