"use client";

import type { Connection } from "#lib/connections/shapes.ts";
import { AbsentRows } from "./absent-rows.tsx";
import { HeldRows } from "./held-rows.tsx";

/** Rows that stand apart: those that Zendesk no longer shows, and those that could not be stored, or not wholly. */
export function Held({ connection }: { connection: Connection }) {
  return (
    <div className="flex max-w-5xl flex-col gap-8">
      <AbsentRows connection={connection} />
      <HeldRows connection={connection} />
    </div>
  );
}

/** How many rows stand apart, for the tab; nothing where none does. */
export function heldCount({ streams, absences }: Connection): number | undefined {
  const held = streams.reduce((sum, stream) => sum + stream.held, 0);
  const absent = absences.reduce((sum, { rows }) => sum + rows, 0);
  return held + absent || undefined;
}
