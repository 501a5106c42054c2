import { randomUUID } from "node:crypto";
import { Pool } from "undici";

/** What is sent to an event door, and how fast. */
export interface Load {
  origin: string;
  path: string;
  writeKey: string;
  eventsPerSecond: number;
  /** Events in a call; with 1 each goes to its own door. */
  perCall: number;
  seconds: number;
  /** So long at the beginning no call is measured. */
  warmSeconds?: number;
  connections: number;
}

export interface Measured {
  sent: number;
  acknowledged: number;
  statuses: Record<string, number>;
  /** Milliseconds from the instant at which each call was due to its answer: a door that falls behind does not hide it. */
  latencies: number[];
  seconds: number;
}

/** Sends events at an even pace, whether answers come or not. */
export async function sendLoad(load: Load): Promise<Measured> {
  const pool = new Pool(load.origin, { connections: load.connections, pipelining: 1 });
  const headers = {
    "content-type": "application/json",
    authorization: `Basic ${Buffer.from(`${load.writeKey}:`).toString("base64")}`,
  };
  const measured: Measured = { sent: 0, acknowledged: 0, statuses: {}, latencies: [], seconds: 0 };
  const callsPerSecond = load.eventsPerSecond / load.perCall;
  const total = Math.floor(callsPerSecond * load.seconds);
  const start = performance.now();
  const send = async (dueAt: number) => {
    const events = Array.from({ length: load.perCall }, eventOf);
    measured.sent += events.length;
    const body = JSON.stringify(load.perCall === 1 ? events[0] : { batch: events, sentAt: new Date() });
    const status = await pool
      .request({ method: "POST", path: load.path, headers, body })
      .then(async (answer) => {
        await answer.body.dump();
        return String(answer.statusCode);
      })
      .catch((error: Error) => error.message);
    measured.statuses[status] = (measured.statuses[status] ?? 0) + 1;
    if (status === "200") measured.acknowledged += events.length;
    if (dueAt - start >= (load.warmSeconds ?? 0) * 1000) measured.latencies.push(performance.now() - dueAt);
  };
  const underWay: Promise<void>[] = [];
  for (let calls = 0; calls < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - start) / 1000) * callsPerSecond) + 1);
    for (; calls < due; calls++) underWay.push(send(start + (calls * 1000) / callsPerSecond));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(underWay);
  measured.seconds = (performance.now() - start) / 1000;
  await pool.close();
  return measured;
}

let made = 0;
/** Every so many events a user is identified. */
const perIdentify = 5;
/** Zones for which Zendesk has a name, and others. */
const zones = ["Europe/Berlin", "America/New_York", "America/Toronto", "Asia/Tokyo", "Asia/Manila", "Europe/Oslo"];

/** As a program of middling talkativeness sends it: 600 bytes. */
function eventOf() {
  made += 1;
  const email = `user-${made % 50_000}@example.com`;
  const call = made % perIdentify === 0 ? identifyOf(email) : order();
  return {
    ...call,
    messageId: `node-next-${Date.now()}-${randomUUID()}`,
    userId: `user-${made % 50_000}`,
    context: {
      ip: "192.0.2.1",
      library: { name: "@segment/analytics-node", version: "3.1.0" },
      traits: { email },
    },
    integrations: {},
    timestamp: new Date().toISOString(),
    _metadata: { nodeVersion: "20.20.2", jsRuntime: "node" },
  };
}

function order() {
  return {
    type: "track",
    event: "Order Completed",
    properties: {
      orderId: `o-${made}`,
      total: (made % 1000) / 10,
      currency: "EUR",
      plan: "gold",
      items: [made % 7, made % 11],
    },
  };
}

function identifyOf(email: string) {
  const timezone = zones[(made / perIdentify) % zones.length];
  const traits = { email, first_name: "Ann", last_name: `Ames ${made}`, timezone, phone: "+49 30 1", plan: "gold" };
  return { type: "identify", traits };
}

// As a process of its own: the load must not take the door's time.
if (process.argv[1] === import.meta.filename) {
  process.stdout.write(JSON.stringify(await sendLoad(JSON.parse(process.argv[2] ?? "") as Load)));
}
