export type Density = "compact" | "comfortable";

/** Everything a reader may change about a table; kept by the caller, as a rule in the URL. */
export type TableView = {
  /** A column id, with "-" before it for descending; null for the server's own order. */
  sort: string | null;
  /** Ids of the columns shown, in order; null for the table's own choice. */
  columns: readonly string[] | null;
  /** Widths in px of the columns that were resized. */
  widths: Readonly<Record<string, number>>;
  density: Density;
};

export const defaultView: TableView = { sort: null, columns: null, widths: {}, density: "compact" };

export const ROW_HEIGHT: Record<Density, number> = { compact: 32, comfortable: 40 };

export const MIN_WIDTH = 56;
export const MAX_WIDTH = 640;
export const WIDTH_STEP = 16;

/** The part of a column that the view and the chooser need; `DataColumn` adds the cells. */
export type ColumnOutline = {
  id: string;
  header: string;
  /** What the column is called where its header is a mere sign: "Created, change". */
  name?: string;
  width?: number;
  /** Not shown until the reader asks for it. */
  hidden?: boolean;
  sortable?: boolean;
  /** Which direction the first press sorts in; numbers as a rule "desc", names "asc". */
  sortFirst?: "asc" | "desc";
};

/** The sort as a column and a direction. */
export function parseSort(sort: string | null): { id: string; descending: boolean } | null {
  if (!sort) return null;
  return sort.startsWith("-") ? { id: sort.slice(1), descending: true } : { id: sort, descending: false };
}

/** What a column is called in words. */
export const nameOf = ({ name, header }: ColumnOutline) => name ?? header;

/** The sort after a press on a column's header: its first direction, then the other one, then back. */
export function nextSort(sort: string | null, column: ColumnOutline): string {
  const present = parseSort(sort);
  const descending = present?.id === column.id ? !present.descending : (column.sortFirst ?? "asc") === "desc";
  return descending ? `-${column.id}` : column.id;
}

/**
 * The ids shown, in order: the first column always and first, then the view's choice without what no longer exists,
 * or the columns that are not hidden by default.
 */
export function shownColumns(outlines: readonly ColumnOutline[], columns: TableView["columns"]): string[] {
  const first = outlines[0]?.id;
  if (first === undefined) return [];
  const known = new Set(outlines.map(({ id }) => id));
  const chosen = columns
    ? columns.filter((id) => known.has(id))
    : outlines.filter(({ hidden }) => !hidden).map(({ id }) => id);
  return [first, ...new Set(chosen.filter((id) => id !== first))];
}

/** The width of a column: the reader's, else its own. */
export function widthOf(column: ColumnOutline, widths: TableView["widths"]): number {
  return widths[column.id] ?? column.width ?? 96;
}

export function clampWidth(width: number): number {
  return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, Math.round(width)));
}
