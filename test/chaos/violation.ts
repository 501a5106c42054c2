export type Invariant =
  | "INV-CONV"
  | "INV-PHANTOM"
  | "INV-ONCE"
  | "INV-HONEST"
  | "INV-CURSOR"
  | "INV-BUDGET"
  | "INV-ISO"
  | "INV-SECRET"
  | "INV-BOUND"
  | "INV-METRIC";

/** One breach of an invariant, in words that lead to it. */
export interface Violation {
  invariant: Invariant;
  what: string;
}

/** All breaches of a run, each told once, with the simulated moment at which it was first seen. */
export class Violations {
  readonly found: (Violation & { at: string })[] = [];
  private readonly known = new Set<string>();

  constructor(
    private readonly now: () => Date,
    private readonly tell: (line: string) => void,
  ) {}

  /** Gives those that are new. */
  add(violations: readonly Violation[]): Violation[] {
    const fresh: Violation[] = [];
    for (const violation of violations) {
      const key = `${violation.invariant} ${violation.what.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "")}`;
      if (this.known.has(key)) continue;
      this.known.add(key);
      fresh.push(violation);
      const at = this.now().toISOString();
      this.found.push({ ...violation, at });
      this.tell(`  ${violation.invariant} at ${at}: ${violation.what}`);
    }
    return fresh;
  }
}
