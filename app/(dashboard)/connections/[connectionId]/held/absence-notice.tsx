import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Num } from "#app/_ui/num.tsx";
import type { Connection } from "#lib/connections/shapes.ts";

/** That rows are absent in Zendesk, on the way to their list; nothing where none is. */
export function AbsenceNotice({ connection }: { connection: Connection }) {
  const absent = connection.absences.filter(({ rows }) => rows > 0);
  if (absent.length === 0) return null;
  const waiting = absent.some(({ held }) => held > 0);
  return (
    <Notice
      kind={waiting ? "warning" : "info"}
      title={
        <>
          Zendesk no longer shows{" "}
          {absent.map(({ stream, rows }, at) => (
            <span key={stream}>
              {at > 0 && " and "}
              <Num value={rows} /> {rows === 1 ? stream.slice(0, -1) : stream}
            </span>
          ))}
          {waiting ? ": a person must decide." : "."}
        </>
      }
      actions={<Link href={`/connections/${connection.id}?tab=held#absent`}>{waiting ? "Decide" : "Show them"}</Link>}
    >
      {waiting
        ? "More are missing at once than is taken away by itself. Until then they stay and count."
        : "Each is asked for by its id before it counts as gone."}
    </Notice>
  );
}
