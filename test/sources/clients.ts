import { Analytics as CustomerIo } from "@customerio/cdp-analytics-node";
import RudderStack from "@rudderstack/rudder-sdk-node";
import { Analytics as Segment } from "@segment/analytics-node";

/** A published client library as it is, pointed at the doors as its documentation says. */
export interface Client {
  // biome-ignore lint/suspicious/noExplicitAny: each SDK has types of its own for the same calls
  analytics: any;
  /** Rejects where the SDK tells its program that events were not delivered. Of some SDKs no call may come after it. */
  flush(): Promise<void>;
}

/** Starts a client that sends with a write key to `origin`. */
type Start = (writeKey: string, origin: string) => Client;

export const clients: Record<string, Start> = {
  "@segment/analytics-node": (writeKey, host) => emitting(new Segment({ writeKey, host, maxRetries: 2 })),
  "@customerio/cdp-analytics-node": (writeKey, host) => emitting(new CustomerIo({ writeKey, host, maxRetries: 2 })),
  "@rudderstack/rudder-sdk-node": (writeKey, dataPlaneUrl) => {
    const failures: unknown[] = [];
    const errorHandler = (failure: unknown) => void failures.push(failure);
    const options = { dataPlaneUrl, flushInterval: 200, logLevel: "none", errorHandler } as const;
    const analytics = new RudderStack(writeKey, options);
    return { analytics, flush: async () => requireNone(await analytics.flush().then(() => failures)) };
  },
};

interface Emitting {
  on(event: "error", heard: (failure: unknown) => void): unknown;
  closeAndFlush(options: { timeout: number }): Promise<unknown>;
}

function emitting(analytics: Emitting): Client {
  const failures: unknown[] = [];
  analytics.on("error", (failure: unknown) => failures.push(failure));
  return { analytics, flush: () => analytics.closeAndFlush({ timeout: 30_000 }).then(() => requireNone(failures)) };
}

function requireNone(failures: unknown[]): void {
  if (failures.length > 0) throw new Error("The SDK reports that events were not delivered.", { cause: failures });
}
