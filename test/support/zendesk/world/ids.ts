/** A Zendesk id in decimal digits. Text, because ids may pass 2^53 and are still different rows then. */
export type Id = string;

const SAFE_DIGITS = 15;

/** Numeric order of two ids, negative ones and those past 2^53 included. */
export function compareIds(left: Id, right: Id): number {
  if (left.length <= SAFE_DIGITS && right.length <= SAFE_DIGITS) return Number(left) - Number(right);
  const a = BigInt(left);
  const b = BigInt(right);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Hands out ids: tickets count from 1 as in Zendesk, everything else shares one 14-digit sequence. */
export class IdSequence {
  private ticket: number;
  private other: number;

  constructor(start: { ticket?: number; other?: number } = {}) {
    this.ticket = start.ticket ?? 1;
    this.other = start.other ?? 36_000_000_000_001;
  }

  nextTicket(): Id {
    return String(this.ticket++);
  }

  next(): Id {
    return String(this.other++);
  }

  /** The first of `count` consecutive numbers. */
  block(count: number): number {
    const first = this.other;
    this.other += count;
    return first;
  }
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID: ten characters of time, sixteen that keep ids of one millisecond apart and in order. */
export function ulid(milliseconds: number, serial: number): string {
  const digits = (value: number, length: number): string => {
    let rest = value;
    let text = "";
    for (let i = 0; i < length; i++) {
      text = CROCKFORD[rest % 32] + text;
      rest = Math.floor(rest / 32);
    }
    return text;
  };
  return digits(milliseconds, 10) + digits(serial, 16);
}
