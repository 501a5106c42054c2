interface Appointment {
  at: number;
  order: number;
  run: () => void;
}

/** What is still going to happen in a world: a heap ordered by time, then by the order of planning. */
export class Schedule {
  private readonly heap: Appointment[] = [];
  private planned = 0;

  get size(): number {
    return this.heap.length;
  }

  plan(at: number, run: () => void): void {
    this.heap.push({ at, order: this.planned++, run });
    this.rise(this.heap.length - 1);
  }

  /** Takes the earliest appointment that is due by `until`, or nothing. */
  takeDue(until: number): Appointment | undefined {
    const first = this.heap[0];
    if (first === undefined || first.at > until) return undefined;
    const last = this.heap.pop();
    if (last !== undefined && this.heap.length > 0) {
      this.heap[0] = last;
      this.sink(0);
    }
    return first;
  }

  private before(left: number, right: number): boolean {
    const a = this.heap[left] as Appointment;
    const b = this.heap[right] as Appointment;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  private swap(left: number, right: number): void {
    const kept = this.heap[left] as Appointment;
    this.heap[left] = this.heap[right] as Appointment;
    this.heap[right] = kept;
  }

  private rise(start: number): void {
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!this.before(position, parent)) return;
      this.swap(position, parent);
      position = parent;
    }
  }

  private sink(start: number): void {
    let position = start;
    for (;;) {
      let smallest = position;
      for (const child of [2 * position + 1, 2 * position + 2]) {
        if (child < this.heap.length && this.before(child, smallest)) smallest = child;
      }
      if (smallest === position) return;
      this.swap(position, smallest);
      position = smallest;
    }
  }
}
