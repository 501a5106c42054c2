"use client";

import type { Header } from "@tanstack/react-table";
import { ArrowDown, ArrowUp } from "lucide-react";
import type { KeyboardEvent } from "react";
import { cn } from "../class-names.ts";
import { Tooltip } from "../tooltip.tsx";
import type { DataColumn, features } from "./columns.tsx";
import { clampWidth, nextSort, parseSort, type TableView, WIDTH_STEP } from "./view.ts";

type HeaderCellProps<Row extends object> = {
  column: DataColumn<Row>;
  header: Header<typeof features, Row, unknown>;
  index: number;
  active: boolean;
  view: TableView;
  onViewChange: (view: TableView) => void;
};

/** A column's name: a press sorts by it, Shift with ← or → makes it narrower or wider, so does its right edge. */
export function HeaderCell<Row extends object>({
  column,
  header,
  index,
  active,
  view,
  onViewChange,
}: HeaderCellProps<Row>) {
  const sort = parseSort(view.sort);
  const direction = sort?.id === column.id ? (sort.descending ? "descending" : "ascending") : "none";
  const Arrow = direction === "ascending" ? ArrowUp : ArrowDown;
  const toggle = () => onViewChange({ ...view, sort: nextSort(view.sort, column) });

  const resize = (event: KeyboardEvent<HTMLElement>) => {
    if (!event.shiftKey || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
    event.preventDefault();
    event.stopPropagation();
    const present = event.currentTarget.getBoundingClientRect().width || header.getSize();
    const width = clampWidth(present + (event.key === "ArrowRight" ? WIDTH_STEP : -WIDTH_STEP));
    onViewChange({ ...view, widths: { ...view.widths, [column.id]: width } });
  };

  const name = (
    <span className="flex min-w-0 items-center gap-0.5">
      {column.align === "end" && direction !== "none" && <Arrow aria-hidden className="size-3 shrink-0 text-accent" />}
      <span className={cn("line-clamp-2 leading-4", column.align === "end" && "w-min text-end")}>
        {column.name ? (
          <>
            <span aria-hidden>{column.header}</span>
            <span className="sr-only">{column.name}</span>
          </>
        ) : (
          column.header
        )}
      </span>
      {column.align !== "end" && direction !== "none" && <Arrow aria-hidden className="size-3 shrink-0 text-accent" />}
    </span>
  );
  const look = cn(
    "flex h-full w-full items-center px-2 font-medium",
    column.align === "end" && "justify-end",
    direction === "none" ? "text-muted" : "text-ink",
  );
  const tabIndex = active ? 0 : -1;

  return (
    <th
      scope="col"
      aria-sort={column.sortable ? direction : undefined}
      data-row={-1}
      data-column={index}
      data-focus="inset"
      tabIndex={column.sortable ? undefined : tabIndex}
      onKeyDown={resize}
      className={cn(
        "sticky top-0 z-10 h-9 last:[&_button]:pe-4 last:[&>span:first-child]:pe-4 border-b border-line bg-sunken p-0 text-start text-table",
        index === 0 && "left-0 z-20 border-e [&_button]:ps-4 [&>span]:ps-4",
      )}
    >
      {column.sortable ? (
        <Tooltip content={column.description ?? `Sort by ${column.header.toLowerCase()}`}>
          <button
            type="button"
            data-focus="inset"
            tabIndex={tabIndex}
            onClick={toggle}
            className={cn(look, "hover:text-ink")}
          >
            {name}
          </button>
        </Tooltip>
      ) : (
        <span className={look} title={column.description}>
          {name}
        </span>
      )}
      <ResizeHandle header={header} />
    </th>
  );
}

function ResizeHandle<Row extends object>({ header }: { header: Header<typeof features, Row, unknown> }) {
  const start = header.getResizeHandler();
  return (
    <span
      aria-hidden
      onMouseDown={start}
      onTouchStart={start}
      className={cn(
        "absolute inset-y-1 -right-1 z-10 w-2 cursor-col-resize touch-none rounded select-none hover:bg-line",
        header.column.getIsResizing() && "bg-accent",
      )}
    />
  );
}
