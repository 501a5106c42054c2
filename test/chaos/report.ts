import type { Violation } from "./violation.ts";

export interface ChaosReport {
  seed: number;
  hours: number;
  violations: (Violation & { at: string })[];
  counts: {
    /** By group. */
    faults: Record<string, number>;
    database: Record<string, number>;
    spells: Record<string, number>;
    kills: number;
    stops: number;
    reconnects: number;
    runs: Record<string, number>;
    pages: number;
    repaired: number;
    requests: number;
    refusals: number;
    /** Times that the product was told to wait, and requests within such a wait that a disturbance may excuse. */
    silences: number;
    excused: number;
    webhooks: { sent: number; lost: number; repeated: number; refused: number };
    standstills: number;
  };
  seconds: number;
  peakMiB: number;
}

const line = (title: string, counts: Record<string, number>): string =>
  `${title}: ${
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ") || "none"
  }`;

/** What happened and what was violated, for people. */
export function tellReport({ seed, hours, violations, counts, seconds, peakMiB }: ChaosReport): string {
  const { sent, lost, repeated, refused } = counts.webhooks;
  return [
    `seed ${seed}, ${hours} simulated hours and the calm after them in ${Math.round(seconds)} s, at most ${peakMiB} MiB`,
    line("faults struck", counts.faults),
    line("spells", counts.spells),
    line("database", counts.database),
    `processes: ${counts.kills} killed, ${counts.stops} stopped and let go on; ${counts.reconnects} reconnections by a person`,
    line("runs", counts.runs),
    `${counts.requests} requests, ${counts.refusals} above a budget; told to wait ${counts.silences} times, ${counts.excused} requests meanwhile excused by a disturbance; ${counts.pages} pages; ${counts.repaired} rows repaired; ${counts.standstills} standstills`,
    `webhooks: ${sent} sent, ${lost} lost, ${repeated} repeated, ${refused} refused`,
    violations.length === 0 ? "no invariant was violated" : `${violations.length} VIOLATIONS`,
    ...violations.slice(0, 60).map(({ invariant, at, what }) => `  ${invariant} at ${at}: ${what}`),
    ...(violations.length > 60 ? [`  … and ${violations.length - 60} more`] : []),
  ].join("\n");
}
