import type { ClientOptions } from "#lib/zendesk/client-options.ts";

/** How Zendesk is asked where a person waits for the answer: short of breath. */
export const hurried = {
  attempts: 2,
  longestSleep: 2000,
  patience: 8000,
  deadlines: { connect: 5000, headers: 8000, idle: 5000, total: 10_000 },
} satisfies Partial<ClientOptions>;

/** What a person can do where an account's address does not answer. */
export const reachWords =
  "Check the subdomain, this server's way to the internet (DNS, firewall, proxy), and status.zendesk.com.";

/** Waits for `work` until `over` is aborted, then throws its reason. */
export async function inTime<T>({ over }: { over: AbortSignal }, work: () => Promise<T>): Promise<T> {
  over.throwIfAborted();
  let stop = () => {};
  const end = new Promise<never>((_, reject) => {
    stop = () => reject(over.reason);
    over.addEventListener("abort", stop, { once: true });
  });
  return Promise.race([work(), end]).finally(() => over.removeEventListener("abort", stop));
}
