"use client";

import { useMemo, useState } from "react";

/** The rows of a list that is asked for again and again. */
export type AnsweredRows<Row> = {
  /** As the server gives and orders them now; undefined while none has come. Memoise. */
  rows: readonly Row[] | undefined;
  /** Declared outside the render. */
  rowId: (row: Row) => string;
  /** What the rows answer: another question brings its own rows and order. */
  question: string;
  /** The rows still answer the question before. */
  stale: boolean;
};

/**
 * Rows that stay where they are while their numbers change under the reader: the order of the first answer holds until
 * another question is asked or `sortAgain` is called. Those that are new come last, those that are gone leave.
 */
export function useSteadyRows<Row>({ rows, rowId, question, stale }: AnsweredRows<Row>) {
  const [kept, setKept] = useState<{ question: string; ids: readonly string[] }>({ question, ids: [] });
  const holds = stale || kept.question === question;
  const steady = useMemo(
    () => (rows && holds ? inOrderOf(kept.ids, rows, rowId) : rows),
    [rows, holds, kept.ids, rowId],
  );
  if (steady && !stale) {
    const ids = steady.map(rowId);
    if (kept.question !== question || !isSame(ids, kept.ids)) setKept({ question, ids });
  }
  const moved = rows !== undefined && steady?.some((row, at) => row !== rows[at]);
  const sortAgain = () => rows && setKept({ question, ids: rows.map(rowId) });
  return { rows: steady, sortAgain: moved && !stale ? sortAgain : undefined };
}

function inOrderOf<Row>(ids: readonly string[], rows: readonly Row[], rowId: (row: Row) => string): readonly Row[] {
  const byId = new Map(rows.map((row) => [rowId(row), row]));
  const known = ids.flatMap((id) => byId.get(id) ?? []);
  const before = new Set(ids);
  return [...known, ...rows.filter((row) => !before.has(rowId(row)))];
}

const isSame = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((value, at) => value === b[at]);
