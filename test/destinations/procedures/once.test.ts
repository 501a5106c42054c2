import { expect, test } from "vitest";
import type { Verdict } from "#lib/destinations/attempt.ts";
import type { CommandKind } from "#lib/destinations/shapes.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { MINUTE } from "#test/support/zendesk/world/clock.ts";
import { destination } from "./ground.ts";

type Ground = Awaited<ReturnType<typeof destination>>;

/** Answers lost after they were committed, never reached, refused for the moment, or told to wait; of writes and of looks. */
function weather({ zendesk }: Ground, seed: number): void {
  const writes = { method: "POST" } as const;
  const often = { probability: 0.2 };
  for (const [index, method] of (["POST", "PUT", "DELETE"] as const).entries()) {
    zendesk.faults.add({ ...writes, method }, fault.reset("headers"), { ...often, seed: seed + index });
    zendesk.faults.add({ ...writes, method }, fault.status(502), { ...often, seed: seed + 10 + index });
    zendesk.faults.add({ ...writes, method }, fault.status(409), { probability: 0.1, seed: seed + 20 + index });
    zendesk.faults.add({ ...writes, method }, fault.tooManyRequests(), { probability: 0.1, seed: seed + 30 + index });
  }
  zendesk.faults.add({ method: "GET" }, fault.status(503), { probability: 0.1, seed: seed + 40 });
}

/** Tries again as the queue would, until it is at an end. */
async function toItsEnd({ world, begin }: Ground, action: CommandKind, ...given: CommandArguments): Promise<Verdict> {
  const delivery = begin(action, ...given);
  for (let tries = 0; tries < 60; tries++) {
    try {
      const verdict = await delivery.again();
      if (!["waits", "unknown"].includes(verdict.state)) return verdict;
    } catch (error) {
      const isPassing = error instanceof WaitNeeded || (error instanceof ZendeskError && error.status !== 422);
      if (!isPassing) throw error;
    }
    world.advance(MINUTE);
  }
  throw new Error(`${action} came to no end`);
}
type CommandArguments = Parameters<Ground["begin"]> extends [CommandKind, ...infer Rest] ? Rest : never;

test.each([1, 2, 3])(
  "whatever is lost on the way, each command takes effect once (INV-ONCE, rows 96, 98, 104; weather %i)",
  async (seed) => {
    const ground = await destination({
      profile: "rudderstack",
      settings: { allowRemovals: true },
      world: { searchLag: 20_000, eventLag: 40_000 },
    });
    const { world, zendesk } = ground;
    weather(ground, seed);
    for (let n = 0; n < 6; n++) {
      const user = { "user.external_id": `u-${n}`, "user.email": `u${n}@acme.example` };
      const run = (action: CommandKind, ...given: CommandArguments) => toItsEnd(ground, action, ...given);
      const verdicts = [
        await run(
          "upsert_user",
          { external_id: `u-${n}`, email: `u${n}@acme.example`, name: `U ${n}`, tags: ["t"] },
          { unmapped: { plan: "pro", [`seats_${n}`]: n } },
        ),
        await run("upsert_user", { email: `only${n}@acme.example`, name: `Only ${n}` }),
        await run("upsert_organization", { external_id: `g-${n}`, name: `G ${n}`, ...user, tags: ["t"] }),
        await run("track_event", { type: "Read", properties: { n }, ...user }),
        await run("create_ticket", {
          external_id: `t-${n}`,
          subject: "S",
          comment: `first ${n}`,
          "requester.external_id": `u-${n}`,
        }),
        await run("update_ticket", {
          external_id: `t-${n}`,
          comment: "again",
          priority: "high",
          additional_tags: ["x"],
        }),
        await run("update_ticket", { external_id: `t-${n}`, comment: "again", status: "solved", remove_tags: ["x"] }),
        await run(
          "update_membership",
          { "user.external_id": `u-${n}`, organization_id: `g-${n}`, remove: true },
          { approvedFor: ["removal"] },
        ),
      ];
      expect(verdicts.map(({ state }) => state)).toEqual(verdicts.map(() => "done"));
    }
    const count = (kind: string) => zendesk.effects.of(kind).length;
    expect(
      [...world.tickets.byId.values()].map(({ audits }) => audits.filter(({ comment }) => comment).length),
    ).toEqual(Array(6).fill(3));
    expect([
      count("user.created"),
      count("organization.created"),
      count("ticket.created"),
      count("customer_event.received"),
    ]).toEqual([12, 6, 6, 6]);
    expect([count("membership.created"), count("membership.removed"), count("user_field.created")]).toEqual([6, 6, 7]);
    expect([...world.tickets.byId.values()].map(({ tags, status, priority }) => [tags, status, priority])).toEqual(
      Array(6).fill([[], "solved", "high"]),
    );
  },
  60_000,
);
