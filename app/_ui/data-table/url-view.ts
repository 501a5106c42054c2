"use client";

import { createParser, parseAsArrayOf, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useCallback, useMemo } from "react";
import { clampWidth, type TableView } from "./view.ts";

/** Widths as "name:240,open:80". */
const parseAsWidths = createParser<Readonly<Record<string, number>>>({
  parse(text) {
    const widths: Record<string, number> = {};
    for (const part of text.split(",")) {
      const [id, width] = part.split(":");
      const px = Number(width);
      if (id && Number.isFinite(px)) widths[id] = clampWidth(px);
    }
    return widths;
  },
  serialize: (widths) =>
    Object.entries(widths)
      .map(([id, width]) => `${id}:${width}`)
      .join(","),
  eq: (a, b) => JSON.stringify(a) === JSON.stringify(b),
});

const noWidths = {};

/**
 * A table's view in the URL: `sort`, `columns`, `widths`, `density`. With several tables on one screen give each a
 * `prefix`. What equals the default is left out of the URL.
 */
export function useUrlTableView(
  defaultSort: string | null = null,
  prefix = "",
): [TableView, (view: TableView) => void] {
  const parsers = useMemo(
    () => ({
      sort: defaultSort === null ? parseAsString : parseAsString.withDefault(defaultSort),
      columns: parseAsArrayOf(parseAsString),
      widths: parseAsWidths.withDefault(noWidths),
      density: parseAsStringLiteral(["compact", "comfortable"]).withDefault("compact"),
    }),
    [defaultSort],
  );
  const urlKeys = useMemo(
    () => ({
      sort: `${prefix}sort`,
      columns: `${prefix}columns`,
      widths: `${prefix}widths`,
      density: `${prefix}density`,
    }),
    [prefix],
  );
  const [view, setView] = useQueryStates(parsers, { urlKeys, clearOnDefault: true, history: "replace" });
  const change = useCallback(
    (next: TableView) => {
      void setView({
        sort: next.sort,
        columns: next.columns ? [...next.columns] : null,
        widths: next.widths,
        density: next.density,
      });
    },
    [setView],
  );
  return [view, change];
}
