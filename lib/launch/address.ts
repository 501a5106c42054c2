import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A server that is just ending keeps its port for a moment. */
const attempts = 20;

/** The port to listen on: the wanted one, or a free one for 0. Throws, with a remedy, where it cannot be had. */
export async function claimPort(host: string, port: number): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await listenOnce(host, port);
    if (typeof result === "number") return result;
    if (result.code !== "EADDRINUSE") throw new Error(`Cannot listen on ${host}:${port}: ${result.message}`);
    if (attempt === attempts) {
      const remedy = `Stop what listens there, or choose another port: PORT=${port + 1} npm start`;
      throw new Error(`Port ${port} on ${host} is taken. ${remedy}`);
    }
    await sleep(250);
  }
}

/** The address under which this machine reaches a server that listens on `host`. */
export function localAddress(host: string, port: number): string {
  const reachable = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  return `http://${net.isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`;
}

/** Waits until `url` answers 2xx, for at most `seconds`; false when it did not or when `ended` settled first. */
export async function waitUntilReady(
  url: string,
  options: { seconds: number; ended: Promise<unknown> },
): Promise<boolean> {
  let over = false;
  options.ended.finally(() => {
    over = true;
  });
  for (let attempt = 0; attempt < options.seconds * 5 && !over; attempt += 1) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) return true;
    await sleep(200);
  }
  return false;
}

function listenOnce(host: string, port: number): Promise<number | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    const probe = net.createServer().once("error", resolve);
    probe.listen(port, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : port));
    });
  });
}
