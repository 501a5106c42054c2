import type { Limiter } from "#lib/zendesk/limits.ts";

/** For a client that counts nothing. */
export const unlimited: Limiter = {
  take: async () => ({ wait: 0, at: new Date() }),
  learn: async () => {},
  block: async () => {},
};
