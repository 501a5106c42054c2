"use client";

import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useEffect, useMemo, useRef } from "react";
import { cn } from "../class-names.ts";
import { ErrorState } from "../error-state.tsx";
import { useShortcut } from "../shortcuts.tsx";
import { BodyRow } from "./body-row.tsx";
import type { DataColumn } from "./columns.tsx";
import { useGridFocus } from "./grid-focus.ts";
import { HeaderCell } from "./header-cell.tsx";
import { SkeletonRows } from "./skeleton-rows.tsx";
import { TableFooter } from "./table-footer.tsx";
import { useTableColumns } from "./use-table-columns.ts";
import { ROW_HEIGHT, type TableView } from "./view.ts";

export type DataTableProps<Row extends object> = {
  /** What the table lists, as its accessible name. */
  label: string;
  /** What one row is called, singular and plural. */
  nouns: readonly [string, string];
  /** Declared once outside the render or memoised. The first is the row header. */
  columns: readonly DataColumn<Row>[];
  /** The rows that have come so far; undefined while none has ever come. */
  rows: readonly Row[] | undefined;
  rowId: (row: Row) => string;
  view: TableView;
  onViewChange: (view: TableView) => void;
  /** Enter on a cell or a press on the row. */
  onOpenRow?: (row: Row) => void;
  /** How many rows there are in all; null when the server does not say. */
  total?: number | null;
  hasMore?: boolean;
  fetchingMore?: boolean;
  onFetchMore?: () => void;
  /** The rows shown belong to an earlier question; those of the present one are on their way. */
  stale?: boolean;
  /** Given while the rows stand in another order than their sort would give now (`useSteadyRows`). */
  onSortAgain?: () => void;
  error?: unknown;
  onRetry?: () => void;
  retrying?: boolean;
  /** One of the four `Empty`s; the caller knows which. */
  empty: ReactNode;
  /** "as of 09:41", at the right of the foot. */
  asOf?: ReactNode;
  /** `j` and `k` move through the rows; off for a second table on one screen. */
  rowShortcuts?: boolean;
  className?: string;
};

const OVERSCAN = 8;
const FETCH_AHEAD = 15;
const SPACER = "border-0 p-0";

/**
 * Rows and columns for a keyboard and for any number of rows: virtualised, paged as it scrolls, header and first
 * column in place. Fills the height of its flex parent and scrolls inside itself.
 */
export function DataTable<Row extends object>(props: DataTableProps<Row>) {
  const { columns, rows = [], view, onViewChange, onOpenRow, hasMore, fetchingMore, onFetchMore, error } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const { table, shown, widths } = useTableColumns({ columns, rows, rowId: props.rowId, view, onViewChange });
  const shownDefs = useMemo(
    () => shown.flatMap((id) => columns.find((column) => column.id === id) ?? []),
    [shown, columns],
  );

  const height = ROW_HEIGHT[view.density];
  const openAt = useCallback(
    (index: number) => {
      const row = rows[index];
      if (row) onOpenRow?.(row);
    },
    [rows, onOpenRow],
  );
  const { active, touched, onKeyDown, onFocus, step } = useGridFocus({
    grid: scroller,
    rowCount: rows.length,
    columnCount: shown.length,
    pageSize: 10,
    onOpen: onOpenRow && openAt,
  });

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: OVERSCAN,
    // The row with the tab stop stays in the document, or scrolling would lose the focus.
    rangeExtractor: (range: Range) => withRow(defaultRangeExtractor(range), active.row),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the cached positions were made with the height before
  useEffect(() => {
    virtualizer.measure();
  }, [virtualizer, height]);

  const items = virtualizer.getVirtualItems();
  const lastSeen = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (hasMore && !fetchingMore && !error && rows.length > 0 && lastSeen >= rows.length - FETCH_AHEAD) onFetchMore?.();
  }, [hasMore, fetchingMore, error, lastSeen, rows.length, onFetchMore]);

  const shortcuts = { enabled: (props.rowShortcuts ?? true) && rows.length > 0 };
  useShortcut({ keys: "j", label: "Next row", run: () => step(1), ...shortcuts });
  useShortcut({ keys: "k", label: "Previous row", run: () => step(-1), ...shortcuts });

  const room = virtualizer.scrollRect?.width ?? 0;
  const layout = columnLayout(shownDefs, widths, room);
  const waiting = props.rows === undefined && !error;
  const headers = table.getHeaderGroups()[0]?.headers ?? [];

  return (
    <div className={cn("flex min-h-0 min-w-0 flex-1 flex-col", props.className)}>
      <div
        ref={scroller}
        className="relative min-h-0 flex-1 overflow-auto overscroll-contain"
        style={{ scrollPaddingTop: 36, scrollPaddingLeft: layout.first }}
      >
        <table
          // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a table whose cells take the focus is a grid
          role="grid"
          aria-label={props.label}
          aria-rowcount={props.total != null ? props.total + 1 : hasMore ? -1 : rows.length + 1}
          aria-colcount={shown.length}
          aria-busy={waiting || props.stale || fetchingMore}
          onKeyDown={onKeyDown}
          onFocus={onFocus}
          className="w-full table-fixed border-separate border-spacing-0"
          style={{ minWidth: layout.sum }}
        >
          <colgroup>
            {layout.widths.map((width, at) => (
              <col key={shownDefs[at]?.id} style={{ width }} />
            ))}
            {layout.filler && <col />}
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              {headers.map((header, at) => {
                const column = shownDefs[at];
                return (
                  column && (
                    <HeaderCell
                      key={header.id}
                      column={column}
                      header={header}
                      index={at}
                      active={active.row === -1 && active.column === at}
                      view={view}
                      onViewChange={onViewChange}
                    />
                  )
                );
              })}
              {layout.filler && <td aria-hidden className="sticky top-0 z-10 border-b border-line bg-sunken" />}
            </tr>
          </thead>
          <tbody className={cn(props.stale && "opacity-60")}>
            {waiting && <SkeletonRows columns={shownDefs} height={height} />}
            {/* One flat list: nested, a row's place in it would be its key and scrolling would remount it. */}
            {items.flatMap((item, at) => {
              const row = rows[item.index];
              const gap = item.start - (items[at - 1]?.end ?? 0);
              if (!row) return [];
              return [
                gap > 0 && (
                  <tr key={`before-${item.index}`} aria-hidden style={{ height: gap }}>
                    <td className={SPACER} />
                  </tr>
                ),
                <BodyRow
                  key={props.rowId(row)}
                  row={row}
                  index={item.index}
                  columns={shownDefs}
                  height={height}
                  activeColumn={active.row === item.index ? active.column : null}
                  highlighted={touched && active.row === item.index}
                  filler={layout.filler}
                  onOpen={onOpenRow && openAt}
                />,
              ];
            })}
            {items.length > 0 && virtualizer.getTotalSize() > (items.at(-1)?.end ?? 0) && (
              <tr aria-hidden style={{ height: virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0) }}>
                <td className={SPACER} />
              </tr>
            )}
            {fetchingMore && <SkeletonRows columns={shownDefs} height={height} count={3} />}
          </tbody>
        </table>
        {Boolean(error) && rows.length === 0 && (
          <ErrorState
            className="sticky left-0"
            title={`Could not load the ${props.nouns[1]}`}
            error={error}
            onRetry={props.onRetry}
            retrying={props.retrying}
          />
        )}
        {!error && props.rows?.length === 0 && <div className="sticky left-0">{props.empty}</div>}
      </div>
      <TableFooter {...props} loaded={rows.length} waiting={waiting} />
    </div>
  );
}

function withRow(indexes: number[], row: number): number[] {
  if (row < 0 || indexes.includes(row)) return indexes;
  return [...indexes, row].sort((a, b) => a - b);
}

/**
 * The widths in px. The first column takes the room that the others leave; once its own width is set, a filler at
 * the end takes it. On a narrow screen the first column holds at most two fifths, or it would hide all others.
 */
function columnLayout(
  columns: readonly { id: string; width?: number }[],
  widths: Readonly<Record<string, number>>,
  room: number,
) {
  const all = columns.map((column, at) => {
    const width = widths[column.id] ?? column.width ?? 96;
    return at === 0 && room > 0 && room < 640 ? Math.min(width, Math.round(room * 0.4)) : width;
  });
  const first = all[0] ?? 0;
  const fixed = columns[0] !== undefined && widths[columns[0].id] !== undefined;
  return {
    first,
    sum: all.reduce((sum, width) => sum + width, 0),
    filler: fixed,
    widths: all.map((width, at) => (at === 0 && !fixed ? undefined : width)),
  };
}
