"use client";

import { type MouseEvent, memo, type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { cn } from "../class-names.ts";
import { RovingContext } from "../roving.ts";
import type { DataColumn } from "./columns.tsx";
import { WIDGET } from "./grid-focus.ts";

type BodyRowProps<Row> = {
  row: Row;
  index: number;
  columns: readonly DataColumn<Row>[];
  height: number;
  /** The column of the tab stop when it is in this row, else null. */
  activeColumn: number | null;
  /** The row that the reader is at. */
  highlighted: boolean;
  filler: boolean;
  onOpen?: (index: number) => void;
};

function BodyRowPlain<Row>({
  row,
  index,
  columns,
  height,
  activeColumn,
  highlighted,
  filler,
  onOpen,
}: BodyRowProps<Row>) {
  const open = (event: MouseEvent) => {
    const pressed = event.target as Element;
    // A press on what a cell holds is that thing's; dragging over text selects it.
    if (pressed.closest("button, a, input, label") || window.getSelection()?.toString()) return;
    onOpen?.(index);
  };
  return (
    // The keyboard's way to the same is Enter on a cell.
    <tr
      aria-rowindex={index + 2}
      style={{ height }}
      onClick={onOpen && open}
      className={cn("group", onOpen && "cursor-pointer")}
    >
      {columns.map((column, at) => (
        <GridCell
          key={column.id}
          row={index}
          column={at}
          active={at === activeColumn}
          align={column.align ?? "start"}
          highlighted={highlighted}
        >
          {column.cell(row)}
        </GridCell>
      ))}
      {filler && <td aria-hidden className="border-b border-line" />}
    </tr>
  );
}

export const BodyRow = memo(BodyRowPlain) as typeof BodyRowPlain;

type GridCellProps = {
  row: number;
  column: number;
  active: boolean;
  align: "start" | "end";
  highlighted: boolean;
  children: ReactNode;
};

function GridCell({ row, column, active, align, highlighted, children }: GridCellProps) {
  const cell = useRef<HTMLTableCellElement>(null);
  const [holdsWidget, setHoldsWidget] = useState(false);
  // Where the cell holds a button or link, that is the tab stop and not the cell around it.
  useLayoutEffect(() => {
    if (active) setHoldsWidget(cell.current?.querySelector(WIDGET) != null);
  });
  const first = column === 0;
  const Tag = first ? "th" : "td";
  return (
    <Tag
      ref={cell}
      role={first ? "rowheader" : "gridcell"}
      scope={first ? "row" : undefined}
      aria-colindex={column + 1}
      data-row={row}
      data-column={column}
      data-focus="inset"
      tabIndex={active && !holdsWidget ? 0 : -1}
      className={cn(
        "overflow-hidden border-b last:pe-4 border-line px-2 py-0 text-table font-normal text-ellipsis whitespace-nowrap",
        align === "end" ? "text-end" : "text-start",
        first && "sticky left-0 z-[5] border-e bg-canvas ps-4 font-medium group-hover:bg-hover",
        !first && "group-hover:bg-hover",
        highlighted && "bg-accent-soft group-hover:bg-accent-soft",
      )}
    >
      <RovingContext value={active ? 0 : -1}>{children}</RovingContext>
    </Tag>
  );
}
