import { presets } from "#lib/destinations/profiles.ts";
import type { Destination } from "#lib/destinations/shapes.ts";

/** A destination in order, as the API shows it. */
export const destination = (more: Partial<Destination> = {}): Destination => ({
  id: "7",
  name: "Desk",
  connection: { id: "c1", name: "Support", subdomain: "acme" },
  connectionId: "c1",
  sources: [],
  sourceIds: [],
  profile: "customerio",
  settings: presets.customerio,
  enabled: true,
  state: "on",
  stopped: null,
  blocked: null,
  failing: null,
  unanswered: null,
  deliveries: { queued: 0, unknown: 0, held: 0, failed: 0, doneLastDay: 0 },
  testedAt: null,
  createdAt: "2026-01-01T00:00:00Z",
  ...more,
});
