import type { IncomingHttpHeaders } from "node:http";

/** One request as the stand-in saw it. */
export interface JournalEntry {
  /** Wall clock, milliseconds. */
  at: number;
  /** The account's own clock. */
  worldAt: number | null;
  method: string;
  subdomain: string;
  /** `x-request-id` of the answer, by which the effects of a write are found. */
  requestId: string;
  path: string;
  query: Record<string, string>;
  /** Without the Authorization header; see `authorization`. */
  headers: IncomingHttpHeaders;
  authorization: "none" | "basic" | "bearer" | "other";
  body: string;
  page: number;
  /** Null while nothing has been answered, or when the connection was cut before a status. */
  status: number | null;
  /** Labels of the faults that took part. */
  faults: string[];
}

const mostEntries = 100_000;

/** Every request in order; the oldest are dropped when a stand-in has been running for very long. */
export class Journal {
  readonly entries: JournalEntry[] = [];

  add(entry: JournalEntry): void {
    this.entries.push(entry);
    if (this.entries.length > mostEntries) this.entries.splice(0, mostEntries / 10);
  }

  /** Requests to paths that start with, or match, `path`. */
  to(path: string | RegExp, subdomain?: string): JournalEntry[] {
    return this.entries.filter(
      (entry) =>
        (subdomain === undefined || entry.subdomain === subdomain) &&
        (typeof path === "string" ? entry.path.startsWith(path) : path.test(entry.path)),
    );
  }

  clear(): void {
    this.entries.length = 0;
  }
}

export function authorizationKind(header: string | undefined): JournalEntry["authorization"] {
  if (header === undefined) return "none";
  if (/^basic /i.test(header)) return "basic";
  return /^bearer /i.test(header) ? "bearer" : "other";
}
