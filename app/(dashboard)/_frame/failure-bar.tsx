"use client";

import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronUp } from "lucide-react";
import { usePathname } from "next/navigation";
import { type ReactNode, useState } from "react";
import { connectionQueries } from "#app/_queries/connections.ts";
import { destinationQueries } from "#app/_queries/destinations.ts";
import { noticeQueries } from "#app/_queries/notices.ts";
import { Button } from "#app/_ui/button.tsx";
import { useNow } from "#app/_ui/clock.ts";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { TextWithTimes } from "#app/_ui/text-with-times.tsx";
import { useSession } from "./session-context.tsx";
import { type Trouble, troublesOf } from "./troubles.ts";

const noticeKind = { bad: "failure", doubt: "warning", calm: "info" } as const;

/**
 * On every screen while something goes wrong: what happened, what still works, what to do (T-55). Of several the most severe
 * is told, the others on demand. What goes wrong with writing is told to those who can mend it, and not where the screen says
 * it itself.
 */
export function FailureBar() {
  const { user } = useSession();
  const path = usePathname();
  const { data: connections } = useQuery(connectionQueries.list());
  const { data: notices } = useQuery(noticeQueries.open());
  const { data: destinations } = useQuery({ ...destinationQueries.list(), enabled: user.role === "admin" });
  const now = useNow();
  const [open, setOpen] = useState(false);
  const troubles =
    connections && now
      ? troublesOf(connections.items, notices?.items ?? [], now, destinations?.items).filter(({ own }) => own !== path)
      : [];
  const [worst, ...others] = troubles;
  if (!worst) return null;
  const more = others.length > 0 && (
    <Button size="sm" variant="ghost" aria-expanded={open} onClick={() => setOpen(!open)} className="-my-1">
      {open ? "Fewer" : `and ${others.length} more`}
      {open ? <ChevronUp aria-hidden /> : <ChevronDown aria-hidden />}
    </Button>
  );
  return (
    <section aria-label="What goes wrong" className="flex max-h-[40dvh] shrink-0 flex-col gap-px overflow-y-auto">
      <TroubleNotice trouble={worst} more={more} />
      {open && others.map((trouble) => <TroubleNotice key={trouble.key} trouble={trouble} />)}
    </section>
  );
}

type TroubleNoticeProps = { trouble: Trouble; more?: ReactNode };

function TroubleNotice({ trouble, more }: TroubleNoticeProps) {
  const { severity, title, since, works, action, link } = trouble;
  return (
    <Notice
      kind={noticeKind[severity]}
      announce
      className="rounded-none px-4"
      title={<TextWithTimes text={title} />}
      actions={
        <span className="flex flex-wrap items-center gap-x-3">
          <Link href={link.href}>{link.label}</Link>
          {more}
        </span>
      }
    >
      {since && (
        <>
          Since <RelativeTime at={since} />.{" "}
        </>
      )}
      {works} <TextWithTimes text={action} />
    </Notice>
  );
}
