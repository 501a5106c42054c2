import type { Id } from "./ids.ts";
import { ulid } from "./ids.ts";
import type { World } from "./world.ts";

export interface Identifier {
  type: string;
  value: string;
}

export interface Profile {
  id: string;
  userId: Id;
  source: string;
  type: string;
  name: string | null;
  identifiers: Identifier[];
  attributes: Record<string, unknown>;
  createdAt: number;
  updatedAt: number;
}

/** Something that a person did elsewhere. Never changed, never deleted. */
export interface CustomerEvent {
  id: string;
  profileId: string;
  userId: Id;
  source: string;
  type: string;
  description: string | null;
  properties: Record<string, unknown>;
  createdAt: number;
  receivedAt: number;
  /** Until then no reader is shown it. */
  readableFrom: number;
}

export interface ProfileInput {
  source: string;
  type: string;
  name?: string | null;
  identifiers: Identifier[];
  attributes?: Record<string, unknown>;
}

/** Profiles and events of an account's customers. */
export class Sunshine {
  readonly profiles = new Map<string, Profile>();
  readonly events: CustomerEvent[] = [];
  private readonly byIdentifier = new Map<string, Profile>();
  private made = 0;

  constructor(private readonly world: World) {}

  /** The profile of this source and type that shares an identifier. */
  find({ source, type, identifiers }: Pick<ProfileInput, "source" | "type" | "identifiers">): Profile | undefined {
    for (const identifier of identifiers) {
      const profile = this.byIdentifier.get(keyOf(source, type, identifier));
      if (profile !== undefined) return profile;
    }
    return undefined;
  }

  /** A profile of `userId`, known already or new. */
  upsert(input: ProfileInput, userId: Id): Profile {
    const now = this.world.now();
    const known = this.find(input);
    if (known !== undefined) {
      const added = input.identifiers.filter((given) => !known.identifiers.some((own) => sameIdentifier(own, given)));
      known.identifiers.push(...added);
      this.index(known);
      Object.assign(known.attributes, input.attributes ?? {});
      return Object.assign(known, { name: input.name ?? known.name, updatedAt: now });
    }
    const profile: Profile = {
      id: ulid(now, ++this.made),
      userId,
      source: input.source,
      type: input.type,
      name: input.name ?? null,
      identifiers: [...input.identifiers],
      attributes: { ...input.attributes },
      createdAt: now,
      updatedAt: now,
    };
    this.profiles.set(profile.id, profile);
    this.index(profile);
    return profile;
  }

  profilesOf(userId: Id): Profile[] {
    return [...this.profiles.values()].filter((profile) => profile.userId === userId);
  }

  receive(
    profile: Profile,
    input: Pick<CustomerEvent, "source" | "type" | "description" | "properties" | "createdAt">,
  ) {
    const now = this.world.now();
    const event: CustomerEvent = {
      ...input,
      id: ulid(now, ++this.made),
      profileId: profile.id,
      userId: profile.userId,
      receivedAt: now,
      readableFrom: now + this.world.settings.eventLag,
    };
    this.events.push(event);
    return event;
  }

  private index(profile: Profile): void {
    for (const identifier of profile.identifiers) {
      this.byIdentifier.set(keyOf(profile.source, profile.type, identifier), profile);
    }
  }

  /** Newest first. */
  readable(wanted: (event: CustomerEvent) => boolean): CustomerEvent[] {
    const now = this.world.now();
    return this.events.filter((event) => event.readableFrom <= now && wanted(event)).reverse();
  }
}

function keyOf(source: string, type: string, identifier: Identifier): string {
  return JSON.stringify([source, type, identifier.type, identifier.value.toLowerCase()]);
}

function sameIdentifier(left: Identifier, right: Identifier): boolean {
  return left.type === right.type && left.value.toLowerCase() === right.value.toLowerCase();
}
