"use client";

import { type FocusEvent, type UIEvent, useMemo, useRef, useState } from "react";
import type { AnsweredRows } from "./steady-rows.ts";

interface Kept<Row> {
  question: string;
  rows: readonly Row[];
}

/**
 * A list, newest first, that grows at its top while somebody reads it: rows that are new wait until they are asked for, unless nobody is
 * at the list. Rows that are shown change in place, and those that are gone leave.
 */
export function useGrowingRows<Row>({ rows, rowId, question, stale }: AnsweredRows<Row>) {
  const [kept, setKept] = useState<Kept<Row> | null>(null);
  const attention = useAttention();
  const isKnown = kept?.question === question || stale;
  const { shown, waiting } = useMemo(
    () => (rows && kept && isKnown ? behindKnown(rows, kept.rows, rowId) : { shown: rows, waiting: 0 }),
    [rows, kept, isKnown, rowId],
  );
  const next = attention.isAttended || !rows ? shown : rows;
  if (next && !stale && !(kept?.question === question && isSame(kept.rows, next))) setKept({ question, rows: next });
  return {
    rows: next,
    /** How many are new and not shown. */
    waiting: attention.isAttended ? waiting : 0,
    show: () => rows && setKept({ question, rows }),
    /** For the element around the table. */
    attention: attention.handlers,
  };
}

/** The rows from the first known one on. Where more are new than were loaded, the known ones stay as they were. */
function behindKnown<Row>(rows: readonly Row[], known: readonly Row[], rowId: (row: Row) => string) {
  const ids = new Set(known.map(rowId));
  const first = rows.findIndex((row) => ids.has(rowId(row)));
  if (first > 0) return { shown: rows.slice(first), waiting: first };
  if (first === 0 || known.length === 0) return { shown: rows, waiting: 0 };
  return rows.length === 0 ? { shown: rows, waiting: 0 } : { shown: known, waiting: rows.length };
}

const isSame = <Row>(a: readonly Row[], b: readonly Row[]) =>
  a.length === b.length && a.every((row, at) => row === b[at]);

/** Whether somebody is at the list: the pointer over it, the focus in it, or it is scrolled away from its top. */
function useAttention() {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  return {
    isAttended: pointed || focused || scrolled,
    handlers: {
      ref: element,
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: (event: FocusEvent) => setFocused(element.current?.contains(event.relatedTarget) ?? false),
      onScrollCapture: (event: UIEvent) => setScrolled((event.target as Element).scrollTop > 0),
    },
  };
}
