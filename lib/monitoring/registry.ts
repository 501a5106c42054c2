import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/*
 * What this process counts by itself, for Prometheus. What the database knows is read when somebody asks (collect.ts), so
 * that it is the same whichever process answers and however often one restarts.
 */

interface Instruments {
  registry: Registry;
  requests: Histogram<"operation" | "method" | "status">;
  waits: Counter<"bucket" | "reason">;
  webhookLag: Histogram;
  ticks: Gauge<"job">;
}

// The bundler may load this file more than once a process; what is counted is counted once.
const home = globalThis as typeof globalThis & { bellwetherInstruments?: Instruments };

/** Made at first use: a process that serves nobody (a command, a migration) measures nothing. */
function instruments(): Instruments {
  home.bellwetherInstruments ??= makeInstruments();
  return home.bellwetherInstruments;
}

function makeInstruments(): Instruments {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    requests: new Histogram({
      name: "bellwether_http_request_duration_seconds",
      help: "Time from a request to its answer, by operation of the API.",
      labelNames: ["operation", "method", "status"],
      buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
      registers,
    }),
    waits: new Counter({
      name: "bellwether_limiter_wait_seconds_total",
      help: "Seconds that requests to Zendesk were waited with in place, by kind of request and reason: budget (a rate budget was used up), told (a 429 or 503 said how long), retry (after a failure). A run that is put off meanwhile waits in its state instead.",
      labelNames: ["bucket", "reason"],
      registers,
    }),
    webhookLag: new Histogram({
      name: "bellwether_webhook_lag_seconds",
      help: "Time from the receipt of a webhook delivery to the row that it announced being stored.",
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
      registers,
    }),
    ticks: new Gauge({
      name: "bellwether_job_last_success_timestamp_seconds",
      help: "When a job of the schedule last went through in this process.",
      labelNames: ["job"],
      registers,
    }),
  };
}

export function observeRequest(
  request: { operation: string; method: string; status: number },
  milliseconds: number,
): void {
  const { operation, method, status } = request;
  instruments().requests.observe({ operation, method, status: String(status) }, milliseconds / 1000);
}

/** Why a request to Zendesk was waited with: no budget was left, Zendesk said how long (429, 503), or the try before had failed. */
export type WaitReason = "budget" | "told" | "retry";

/** Time that somebody spent waiting; `bucket` names the kind of request, never an account. */
export function countWait(bucket: string, reason: WaitReason, milliseconds: number): void {
  instruments().waits.inc({ bucket, reason }, Math.max(0, milliseconds) / 1000);
}

/** From the receipt of a delivery to the commit of what it announced. */
export function observeWebhookLag(milliseconds: number): void {
  instruments().webhookLag.observe(Math.max(0, milliseconds) / 1000);
}

/** A job of the schedule, or of a cron route, went through. */
export function markTick(job: string, at: Date): void {
  instruments().ticks.set({ job }, at.getTime() / 1000);
}

/** In Prometheus' text format 0.0.4. */
export function processMetrics(): Promise<string> {
  return instruments().registry.metrics();
}
