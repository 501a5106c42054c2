/** Bodies that work, by operation. */
export const bodyExamples: Record<string, unknown> = {
  bulkAccounts: {
    accounts: [
      {
        externalId: "ACME-1",
        name: "Acme",
        ownerEmail: "ann@example.com",
        attributes: { domain: "acme.example", plan: "gold" },
      },
    ],
  },
  createConnection: {
    kind: "zendesk",
    subdomain: "acme",
    name: "Acme support",
    auth: { type: "oauth_client_credentials", clientId: "bellwether", clientSecret: "the client's secret" },
    access: "read",
    historyDays: 0,
    eventHistoryDays: 365,
  },
  updateConnection: { paused: true, pausedUntil: "2026-12-01T08:00:00Z" },
  startSync: { mode: "incremental" },
  putMatchKeys: {
    keys: [
      { organizationField: "external_id", accountField: "externalId", normalize: "exact" },
      { organizationField: "domain_names", accountField: "attributes.domain", normalize: "domain" },
    ],
  },
  previewMatchKeys: { keys: [{ organizationField: "name", accountField: "name", normalize: "case_insensitive" }] },
  setHeldRowAside: { stream: "users", key: "unnamed:7315957659397873861" },
  approveAbsences: { stream: "organizations", ceiling: 25 },
  putWebhook: { signingSecret: "the secret that Zendesk shows for the webhook" },
  putMatch: { ignored: true },
  createSource: { name: "Shop" },
  updateSource: { enabled: false },
  rotateWriteKey: { keepMinutes: 60 },
  updateWorkspace: { timeZone: "Europe/Berlin", windows: [7, 30, 90], topPriorities: ["high", "urgent"] },
  createUser: { email: "ann@example.com", name: "Ann Ames", role: "csm" },
  updateUser: { role: "admin" },
  createDestination: { connectionId: "1", sourceIds: ["1"], profile: "customerio", enabled: false },
  updateDestination: { profile: "rudderstack", settings: { unknownUserTraits: "ask" } },
  dryRunDestination: {
    event: { type: "identify", userId: "12", traits: { email: "ann@example.com", name: "Ann Ames" } },
  },
  replaceActions: [
    {
      key: "upsert_user",
      enabled: true,
      trigger: {
        all: [
          { field: "type", operator: "equals", value: "identify" },
          { field: "$.traits.plan", operator: "exists" },
        ],
      },
      mapping: [
        { to: "email", from: "$.traits.email" },
        { to: "name", from: "$.traits.name", template: "{{ traits.first_name }} {{ traits.last_name }}" },
        { to: "external_id", from: "$.userId" },
        { to: "user_fields.plan", from: "$.traits.plan", default: "free" },
      ],
    },
  ],
  previewActions: { event: { type: "group", groupId: "acme", userId: "12", traits: { name: "Acme" } } },
  replaceWriteBack: {
    rules: [
      { organizationField: "urgent_tickets", measure: "topUnsolved", enabled: true },
      { organizationField: "csat", measure: "csat", enabled: true },
      { organizationField: "csat_answers", measure: "ratings", enabled: true },
      { organizationField: "plan", measure: "attributes.plan", enabled: false },
    ],
  },
  createApiKey: { name: "Nightly export", role: "viewer" },
};
