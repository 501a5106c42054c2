import { type AddressInfo, createServer, connect as dial, type Socket } from "node:net";
import { seededRandom } from "#test/support/zendesk/world/random.ts";

export interface LinkFaults {
  /** Every piece of a transfer, either way, comes so much later. Milliseconds. */
  delay?: number;
  /** Up to so much more, at random. */
  jitter?: number;
  /** The part of all pieces at which the connection is reset instead. */
  resets?: number;
  /** Resets a connection that was used before, in the moment it is used again. */
  resetReused?: boolean;
  seed?: number;
}

export interface Link {
  /** `http://127.0.0.1:PORT`. */
  origin: string;
  /** Connections that were reset so far. */
  resets: number;
  close(): Promise<void>;
}

/** A bad line between a client and the server at `origin`. */
export async function openLink(origin: string, faults: LinkFaults): Promise<Link> {
  const { delay = 0, jitter = 0, resets = 0, resetReused = false, seed = 1 } = faults;
  const random = seededRandom(seed);
  const { hostname, port } = new URL(origin);
  const sockets = new Set<Socket>();
  const link: Link = { origin: "", resets: 0, close };

  const server = createServer((near) => {
    const far = dial(Number(port), hostname);
    let answered = false;
    const cut = () => {
      link.resets++;
      near.resetAndDestroy();
      far.destroy();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        setTimeout(() => to.destroy(), delay + jitter + 5);
      });
      let ready = Promise.resolve();
      from.on("data", (piece: Buffer) => {
        if (from === near && answered && resetReused) return cut();
        if (random.next() < resets) return cut();
        answered ||= from === far;
        const late = new Promise<void>((resolve) => setTimeout(resolve, delay + random.next() * jitter));
        ready = ready.then(() => late).then(() => void (to.destroyed || to.write(piece)));
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  link.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return link;

  async function close(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
