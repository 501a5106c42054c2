import { compareIds, type Id } from "./ids.ts";
import type { User } from "./rows.ts";
import type { World } from "./world.ts";

export interface Identity {
  id: Id;
  userId: Id;
  type: "email";
  value: string;
  verified: boolean;
  createdAt: number;
  updatedAt: number;
  /** From when on the search knows it, when that is later. */
  searchableFrom: number;
}

/** The addresses of an account's users: each belongs to one of them, and the one that equals `user.email` is primary. */
export class Identities {
  private readonly lists = new Map<Id, Identity[]>();
  private readonly owners = new Map<string, Id>();
  /** A sequence of their own: what is asked about users must not change which ids the next rows get. */
  private next = 45_000_000_000_001;

  constructor(private readonly world: World) {}

  of(userId: Id): readonly Identity[] {
    return this.lists.get(userId) ?? [];
  }

  /** The user who has this address, in whatever case, primary or not. */
  ownerOf(address: string): User | undefined {
    return this.world.users.byId.get(this.owners.get(address.toLowerCase()) ?? "");
  }

  add(user: User, value: string, options: { verified?: boolean; searchableFrom?: number } = {}): Identity {
    const now = this.world.now();
    const identity: Identity = {
      id: String(this.next++),
      userId: user.id,
      type: "email",
      value,
      verified: options.verified ?? user.verified,
      createdAt: now,
      updatedAt: now,
      searchableFrom: options.searchableFrom ?? 0,
    };
    this.lists.set(user.id, [...this.of(user.id), identity]);
    this.owners.set(value.toLowerCase(), user.id);
    return identity;
  }

  /** The user's `email` was set in the account itself: it takes the place of the former one. */
  follow(user: User, former: string | null): void {
    if (former === user.email) return;
    if (former !== null) this.drop(user, former);
    if (user.email !== null && !this.of(user.id).some(({ value }) => same(value, user.email))) {
      this.add(user, user.email, { searchableFrom: user.searchableFrom });
    }
  }

  /** After a deletion the addresses are free for others. */
  dropAll(user: User): void {
    for (const { value } of this.of(user.id)) this.drop(user, value);
  }

  /** After a merge the loser's addresses are further ones of the winner. */
  move(loser: User, winner: User): void {
    const moved = this.of(loser.id).map((identity) => ({ ...identity, userId: winner.id }));
    this.lists.delete(loser.id);
    this.lists.set(winner.id, [...this.of(winner.id), ...moved]);
    for (const { value } of moved) this.owners.set(value.toLowerCase(), winner.id);
  }

  remove(user: User, id: Id): void {
    const identity = this.of(user.id).find((one) => one.id === id);
    if (identity !== undefined) this.drop(user, identity.value);
  }

  sorted(userId: Id): Identity[] {
    return [...this.of(userId)].sort((a, b) => compareIds(a.id, b.id));
  }

  private drop(user: User, address: string): void {
    const rest = this.of(user.id).filter(({ value }) => !same(value, address));
    this.lists.set(user.id, rest);
    if (this.owners.get(address.toLowerCase()) === user.id) this.owners.delete(address.toLowerCase());
  }
}

function same(left: string, right: string | null): boolean {
  return left.toLowerCase() === right?.toLowerCase();
}
