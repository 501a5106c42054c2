import { compareIds, type Id } from "./ids.ts";

/** Rows in the order of an export: by stamp, then by id. Sorted when asked, because histories are written out of order. */
export class ChangeIndex<Row extends { id: Id | number }> {
  private readonly rows: Row[] = [];
  private sorted = true;

  constructor(private readonly stampOf: (row: Row) => number) {}

  get size(): number {
    return this.rows.length;
  }

  add(row: Row): void {
    const last = this.rows.at(-1);
    this.rows.push(row);
    if (last !== undefined && this.compare(last, row) > 0) this.sorted = false;
  }

  /** To be called when a row's stamp has moved. */
  moved(): void {
    this.sorted = false;
  }

  remove(row: Row): void {
    const position = this.rows.indexOf(row);
    if (position >= 0) this.rows.splice(position, 1);
  }

  /** All rows in order. The array is the index itself: read it, do not keep it. */
  all(): readonly Row[] {
    if (!this.sorted) {
      this.rows.sort((left, right) => this.compare(left, right));
      this.sorted = true;
    }
    return this.rows;
  }

  /** Position of the first row with `stamp >= from`, or with `(stamp, id) > (from, after)` when `after` is given. */
  position(from: number, after?: Id): number {
    const rows = this.all();
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = rows[middle] as Row;
      const stamp = this.stampOf(row);
      const earlier = stamp < from || (stamp === from && after !== undefined && compareIds(String(row.id), after) <= 0);
      if (earlier) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private compare(left: Row, right: Row): number {
    return this.stampOf(left) - this.stampOf(right) || compareIds(String(left.id), String(right.id));
  }
}
