import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { type Holder, holderName, isFormerSelf } from "#lib/jobs/holder.ts";
import { beatLeases, lockLease, moveLease, shareLease } from "#lib/jobs/store/leases.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/**
 * The right to write for one connection. It holds as long as the database still shows this epoch and this holder: one that has
 * lost what it confirmed gives an epoch again.
 */
export interface Lease extends Scope {
  epoch: string;
  holder: string;
  /** When the server that gave it was started, as that server writes it. */
  serverStart: string;
}

/** The times of a lease, in milliseconds; all follow from the first, and every process of an installation has the same. */
export interface LeaseTimes {
  /** A holder that has not been heard of for this long may be replaced. */
  silence: number;
  /** A holder that stands still in the middle of a commit loses it before that, so that nobody waits for it in vain. */
  longestIdle: number;
  /** How often dead holders are looked for. */
  searchEvery: number;
  /** How often a holder says that it lives, and learns that it was replaced: a disconnected account is left alone within 10 s (row 121). */
  beatEvery: number;
}

export const leaseTimes = (silence: number): LeaseTimes => ({
  silence,
  longestIdle: (silence * 4) / 5,
  searchEvery: silence / 5,
  beatEvery: silence / 15,
});

/** A dead holder is found within 75 s + 15 s: under the two minutes of row 76. */
export const usualTimes = leaseTimes(75_000);

/** Somebody else writes for this connection now: whatever was about to be committed must not be. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
  constructor(lease: Lease) {
    super(`The lease of connection ${lease.connectionId} (epoch ${lease.epoch}) was taken over.`);
  }
}

/**
 * The database is not the one that this run has written to so far: it was started anew, or another one took its place. What was
 * confirmed last may be gone, so that nothing may rest on what the run remembers (row 78).
 */
export class ServerRestarted extends Error {
  override readonly name = "ServerRestarted";
  constructor(lease: Lease) {
    super(`The database server was started anew while connection ${lease.connectionId} was read.`);
  }
}

/** A lease as the database shows it, with the database's own clock. */
export interface LeaseRow {
  epoch: string;
  holder: string | null;
  heartbeatAt: Date | null;
  at: Date;
}

/** Whether `self` may take a lease that stands as `row`: nobody holds it, its holder fell silent, or is our own dead predecessor. */
export function isFree(row: LeaseRow, self: Holder, times = usualTimes): boolean {
  if (row.holder === null || row.heartbeatAt === null) return true;
  if (row.at.getTime() - row.heartbeatAt.getTime() > times.silence) return true;
  return isFormerSelf(row.holder, self);
}

/** Takes the lease of a connection, or gives null while somebody alive holds it. Times are the database's (row 47). */
export async function takeLease(
  trx: Trx,
  scope: Scope,
  self: Holder,
  times: LeaseTimes = usualTimes,
): Promise<Lease | null> {
  const row = await lockLease(trx, scope);
  if (!row || !isFree(row, self, times)) return null;
  return moveLease(trx, scope, holderName(self));
}

/** Ends whatever lease there is: a commit under it fails from now on. */
export async function revokeLease(trx: Trx, scope: Scope): Promise<void> {
  await lockLease(trx, scope);
  await moveLease(trx, scope, null);
}

/**
 * Locks the lease against a takeover until the transaction ends, and throws LeaseLost if there has been one (row 75). Gives when
 * the server was started.
 */
export async function holdLease(trx: Trx, lease: Lease, times: LeaseTimes = usualTimes): Promise<string> {
  const serverStart = await shareLease(trx, lease, times.longestIdle);
  if (serverStart === undefined) throw new LeaseLost(lease);
  return serverStart;
}

/**
 * Guards a commit: holds the lease, and throws ServerRestarted where what this run committed before may be gone. First statement
 * of every transaction of a run that goes on from what it remembers.
 */
export async function fence(trx: Trx, lease: Lease, times: LeaseTimes = usualTimes): Promise<void> {
  if ((await holdLease(trx, lease, times)) !== lease.serverStart) throw new ServerRestarted(lease);
}

/** Says for every lease that its holder lives. Gives those that were lost. */
export async function beat(db: Db, leases: Lease[]): Promise<Lease[]> {
  const lost: Lease[] = [];
  for (const workspaceId of new Set(leases.map((lease) => lease.workspaceId))) {
    const own = leases.filter((lease) => lease.workspaceId === workspaceId);
    const alive = await inWorkspace(db, workspaceId, (trx) => beatLeases(trx, workspaceId, own));
    lost.push(...own.filter((lease) => !alive.has(lease.connectionId)));
  }
  return lost;
}
