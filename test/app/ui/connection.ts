import type { Connection, StreamName, StreamStatus } from "#lib/connections/shapes.ts";

export const stream = (name: StreamName, more: Partial<StreamStatus> = {}): StreamStatus => ({
  name,
  state: "ok",
  freshThrough: "2026-11-22T08:50:00Z",
  lastRunAt: "2026-11-22T08:51:00Z",
  failure: null,
  rows: 1,
  held: 0,
  ...more,
});

/** A connection in order at 09:00 on 22 November 2026, as the API shows it. */
export const connection = (more: Partial<Connection> = {}): Connection => ({
  id: "c1",
  kind: "zendesk",
  name: "Support",
  subdomain: "acme",
  access: "read",
  state: "active",
  failure: null,
  streams: [stream("tickets"), stream("organizations"), stream("satisfaction_ratings")],
  matching: { organizations: 0, matched: 0, unmatched: 0, ambiguous: 0, ignored: 0 },
  nextSyncAt: null,
  pausedUntil: null,
  disconnectedAt: null,
  connectedBy: { email: null, zendeskEmail: null },
  auth: { type: "oauth", scopes: null, expiresAt: null, endsOn: null },
  historyDays: 0,
  eventHistoryDays: 365,
  syncIntervalMinutes: 60,
  verified: { at: "2026-11-22T03:12:00Z", tickets: 1, repaired: 0 },
  absences: [],
  webhook: { state: "none", kind: null, lastDeliveryAt: null },
  clockSkewSeconds: null,
  createdAt: "2026-01-01T00:00:00Z",
  ...more,
});
