"use client";

import type { Connection } from "#lib/connections/shapes.ts";
import { KeyLadder } from "./key-ladder.tsx";
import { MatchQueue } from "./match-queue.tsx";

/** The workbench: the ladder of keys at the left, the queue of organizations at the right. */
export function Matching({ connection }: { connection: Connection }) {
  return (
    <div className="grid gap-8 xl:grid-cols-2">
      <KeyLadder connectionId={connection.id} />
      <MatchQueue connection={connection} />
    </div>
  );
}
