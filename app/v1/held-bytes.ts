import { AppError } from "#lib/errors.ts";

/**
 * Of bodies that are held in memory, in this process: of callers whose key was judged, and of those who say it in the body,
 * so that strangers do not take the room of the others.
 */
const most = { judged: 64 * 1024 * 1024, strangers: 16 * 1024 * 1024 };

// The bundler may load this file more than once a process.
const home = globalThis as typeof globalThis & { bellwetherHeldBytes?: Record<keyof typeof most, number> };

/** What one call holds, until it is released. */
export class HeldBytes {
  private readonly caller: keyof typeof most;
  private readonly all: Record<keyof typeof most, number>;
  private bytes = 0;
  private isReleased = false;

  constructor(caller: keyof typeof most) {
    home.bellwetherHeldBytes ??= { judged: 0, strangers: 0 };
    this.all = home.bellwetherHeldBytes;
    this.caller = caller;
  }

  /** Throws `unavailable` where all calls together would hold too much. What comes after the release is held by nobody. */
  add(bytes: number): void {
    if (this.isReleased) return;
    if (this.all[this.caller] + bytes > most[this.caller]) {
      throw new AppError("unavailable", "More calls come than can be read. Send them again later.");
    }
    this.all[this.caller] += bytes;
    this.bytes += bytes;
  }

  release(): void {
    this.isReleased = true;
    this.all[this.caller] -= this.bytes;
    this.bytes = 0;
  }
}
