export interface AddressLocks {
  /** Counts a try; the instant until which the address is locked, or null below the limit. */
  attempt(email: string, now: Date): Date | null;
}

const mostAddresses = 10_000;

/**
 * Locks for addresses that are nobody's, so that a lock does not tell who exists. They hold no account, so they are kept in
 * memory, the oldest making room.
 */
export function openAddressLocks(limit: { attempts: number; minutes: number }): AddressLocks {
  const seen = new Map<string, { attempts: number; until: Date | null }>();
  return {
    attempt(email, now) {
      const before = seen.get(email);
      if (before?.until && before.until > now) return before.until;
      const attempts = before?.until ? 1 : (before?.attempts ?? 0) + 1;
      const until = attempts >= limit.attempts ? new Date(now.getTime() + limit.minutes * 60_000) : null;
      seen.delete(email);
      seen.set(email, { attempts, until });
      const oldest = seen.keys().next();
      if (seen.size > mostAddresses && !oldest.done) seen.delete(oldest.value);
      return until;
    },
  };
}
