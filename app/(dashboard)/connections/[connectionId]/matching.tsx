"use client";

import type { Connection } from "#lib/connections/shapes.ts";
import { KeyLadder, type KeyLadderProps } from "./key-ladder.tsx";
import { MatchQueue } from "./match-queue.tsx";

/** The workbench: the ladder of keys at the left, the queue of organizations at the right. */
export function Matching({ connection, ...edited }: { connection: Connection } & Omit<KeyLadderProps, "connectionId">) {
  return (
    <div className="grid gap-8 xl:grid-cols-2">
      <KeyLadder connectionId={connection.id} {...edited} />
      <MatchQueue connection={connection} />
    </div>
  );
}
