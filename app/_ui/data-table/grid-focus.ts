"use client";

import {
  type FocusEvent,
  type KeyboardEvent,
  type RefObject,
  useCallback,
  useLayoutEffect,
  useRef,
  useState,
} from "react";

/** A cell by row and column; row -1 is the header. */
export type CellPosition = { row: number; column: number };

export const WIDGET = "button, a[href], input, select, textarea, [tabindex]";

type GridFocusOptions = {
  grid: RefObject<HTMLElement | null>;
  rowCount: number;
  columnCount: number;
  /** Rows that PageUp and PageDown move by. */
  pageSize: number;
  onOpen?: (row: number) => void;
};

/**
 * The ARIA grid pattern: one cell is the tab stop, arrows move it, Home/End and Page keys jump, Enter opens the row
 * (or presses what the cell holds). Cells carry `data-row` and `data-column`.
 */
export function useGridFocus({ grid, rowCount, columnCount, pageSize, onOpen }: GridFocusOptions) {
  const [position, setPosition] = useState<CellPosition>({ row: 0, column: 0 });
  const [touched, setTouched] = useState(false);
  const wanted = useRef(false);
  const active = clamp(position, rowCount, columnCount);

  const moveTo = useCallback((next: CellPosition) => {
    wanted.current = true;
    setTouched(true);
    setPosition(next);
  }, []);

  useLayoutEffect(() => {
    if (!wanted.current) return;
    wanted.current = false;
    const cell = grid.current?.querySelector<HTMLElement>(`[data-row="${active.row}"][data-column="${active.column}"]`);
    (cell?.querySelector<HTMLElement>(WIDGET) ?? cell)?.focus();
  });

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.altKey || event.metaKey) return;
    const next = destination(event, active, { rowCount, columnCount, pageSize });
    if (next) {
      event.preventDefault();
      moveTo(clamp(next, rowCount, columnCount));
      return;
    }
    const onCell = event.target instanceof HTMLElement && event.target.dataset.row !== undefined;
    if (event.key === "Enter" && onCell && active.row >= 0 && onOpen) {
      event.preventDefault();
      onOpen(active.row);
    }
  };

  // A press with the mouse moves the tab stop too.
  const onFocus = (event: FocusEvent) => {
    const cell = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-row]") : null;
    if (!cell) return;
    setTouched(true);
    setPosition({ row: Number(cell.dataset.row), column: Number(cell.dataset.column) });
  };

  /** To the row `by` rows further: for shortcuts that work from anywhere on the screen. The first press goes to row 0. */
  const step = (by: number) =>
    moveTo(clamp({ row: touched ? active.row + by : 0, column: active.column }, rowCount, columnCount, 0));

  return { active, touched, onKeyDown, onFocus, step };
}

function clamp({ row, column }: CellPosition, rowCount: number, columnCount: number, firstRow = -1): CellPosition {
  return {
    row: Math.max(rowCount === 0 ? -1 : firstRow, Math.min(row, rowCount - 1)),
    column: Math.max(0, Math.min(column, columnCount - 1)),
  };
}

function destination(
  event: KeyboardEvent,
  { row, column }: CellPosition,
  { rowCount, columnCount, pageSize }: { rowCount: number; columnCount: number; pageSize: number },
): CellPosition | null {
  if (event.shiftKey) return null;
  const edge = event.ctrlKey;
  switch (event.key) {
    case "ArrowDown":
      return { row: row + 1, column };
    case "ArrowUp":
      return { row: row - 1, column };
    case "ArrowRight":
      return { row, column: column + 1 };
    case "ArrowLeft":
      return { row, column: column - 1 };
    case "Home":
      return { row: edge ? 0 : row, column: 0 };
    case "End":
      return { row: edge ? rowCount - 1 : row, column: columnCount - 1 };
    case "PageDown":
      return { row: row + pageSize, column };
    case "PageUp":
      return { row: Math.max(0, row - pageSize), column };
    default:
      return null;
  }
}
