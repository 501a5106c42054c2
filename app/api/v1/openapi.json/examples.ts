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
  approveAbsences: { stream: "organizations", ceiling: 25 },
  putWebhook: { signingSecret: "the secret that Zendesk shows for the webhook" },
  putMatch: { ignored: true },
  updateWorkspace: { timeZone: "Europe/Berlin", windows: [7, 30, 90], topPriorities: ["high", "urgent"] },
  createUser: { email: "ann@example.com", name: "Ann Ames", role: "csm" },
  updateUser: { role: "admin" },
  createApiKey: { name: "Nightly export", role: "viewer" },
};
