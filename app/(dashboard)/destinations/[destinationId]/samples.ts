import type { SampleEvent } from "#app/_queries/destinations.ts";
import { eventType } from "#lib/sources/shapes.ts";

/** Events to try things with; `example.com` belongs to nobody. */
export const samples: Record<"identify" | "group" | "track", SampleEvent> = {
  identify: {
    type: "identify",
    userId: "sample-1",
    traits: { email: "sample@example.com", name: "Sample Person", phone: "+49 30 123456", plan: "Pro" },
  },
  group: {
    type: "group",
    userId: "sample-1",
    groupId: "sample-company",
    traits: { name: "Sample Company", domainNames: ["sample.example.com"] },
    context: { traits: { email: "sample@example.com", name: "Sample Person" } },
  },
  track: {
    type: "track",
    userId: "sample-1",
    event: "Ticket Created",
    properties: {
      email: "sample@example.com",
      subject: "A sample ticket",
      comment: "Sent to see whether everything is in place.",
      priority: "low",
      tags: ["sample"],
    },
  },
};
export type SampleName = keyof typeof samples;

/** The event that a text says, or why it says none. */
export function readEvent(text: string): { event: SampleEvent; problem: null } | { event: null; problem: string } {
  try {
    const event: unknown = JSON.parse(text);
    if (typeof event !== "object" || event === null || Array.isArray(event)) {
      return { event: null, problem: "An event is a JSON object." };
    }
    const { type } = event as { type?: unknown };
    if (!eventType.safeParse(type).success) {
      return { event: null, problem: `It needs a type: ${eventType.options.join(", ")}.` };
    }
    return { event: event as SampleEvent, problem: null };
  } catch (error) {
    return { event: null, problem: `Not JSON: ${(error as Error).message}` };
  }
}

export const eventText = (event: unknown) => JSON.stringify(event, null, 2);
