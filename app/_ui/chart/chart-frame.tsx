"use client";

import { ChartColumn, Table2 } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { Button } from "../button.tsx";

export type ChartTable = {
  /** The first column names the point. */
  columns: readonly { name: string; align?: "start" | "end" }[];
  rows: readonly { key: string; cells: readonly ReactNode[] }[];
};

type ChartFrameProps = {
  title: string;
  /** What is drawn and how to read it, short. */
  note?: ReactNode;
  /** Names of the series with their marks. */
  legend?: ReactNode;
  /** The same numbers as a table. */
  table: ChartTable;
  children: ReactNode;
};

/** A chart with its title, its legend and its table twin, which a press on “Table” shows in its place. */
export function ChartFrame({ title, note, legend, table, children }: ChartFrameProps) {
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  return (
    <figure aria-labelledby={id} className="min-w-0">
      <figcaption className="mb-2 flex flex-wrap items-start gap-x-3 gap-y-1">
        <div className="min-w-0 flex-1">
          <h2 id={id} className="text-body font-semibold">
            {title}
          </h2>
          {note && <p className="text-small text-muted">{note}</p>}
        </div>
        <Button size="sm" variant="ghost" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          {asTable ? <ChartColumn aria-hidden /> : <Table2 aria-hidden />}
          {asTable ? "Chart" : "Table"}
        </Button>
      </figcaption>
      {asTable ? (
        <TwinTable label={title} table={table} />
      ) : (
        <>
          {children}
          {legend}
        </>
      )}
    </figure>
  );
}

function TwinTable({ label, table }: { label: string; table: ChartTable }) {
  const align = (at: number) => (table.columns[at]?.align === "end" ? "text-end" : "text-start");
  return (
    // The scroll region can be reached by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must take the focus (WCAG 2.1.1)
    <section aria-label={`${label}, as a table`} tabIndex={0} className="max-h-72 overflow-auto">
      <table className="w-full border-separate border-spacing-0 text-table">
        <thead>
          <tr>
            {table.columns.map((column, at) => (
              <th
                key={column.name}
                scope="col"
                className={`sticky top-0 h-8 border-b border-line bg-sunken px-2 font-medium text-muted ${align(at)}`}
              >
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row) => (
            <tr key={row.key} className="hover:bg-hover">
              {row.cells.map((cell, at) => {
                const column = table.columns[at]?.name;
                return at === 0 ? (
                  <th
                    key={column}
                    scope="row"
                    className="h-8 border-b border-line px-2 text-start font-normal whitespace-nowrap"
                  >
                    {cell}
                  </th>
                ) : (
                  <td key={column} className={`h-8 border-b border-line px-2 tabular-nums ${align(at)}`}>
                    {cell}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

type LegendMark = { name: string; color: string; outline?: boolean; round?: boolean };

/** The names of the series, in their order. */
export function Legend({ marks }: { marks: readonly LegendMark[] }) {
  return (
    <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-1 text-small text-muted">
      {marks.map((mark) => (
        <li key={mark.name} className="flex items-center gap-1.5">
          <span
            aria-hidden
            className={`size-2.5 shrink-0 ${mark.round ? "rounded-full" : "rounded-[2px]"}`}
            style={
              mark.outline
                ? { border: `1.5px ${mark.round ? "dashed" : "solid"} ${mark.color}` }
                : { background: mark.color }
            }
          />
          {mark.name}
        </li>
      ))}
    </ul>
  );
}
