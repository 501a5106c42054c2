import { z } from "zod";
import { cronAnswer } from "#lib/connections/shapes.ts";

/*
 * Routes outside the catalogue, described by hand: they judge their caller in their own way.
 */

const { $schema: _, ...cronSchema } = z.toJSONSchema(cronAnswer);

function cron(id: string, summary: string) {
  const parameters = [
    { name: "budgetSeconds", in: "query", required: false, schema: { type: "integer", minimum: 1, default: 50 } },
    { name: "force", in: "query", required: false, schema: { enum: ["0", "1"], default: "0" } },
  ];
  const responses = {
    200: {
      description: "What was done; `done` false goes on with the next call.",
      content: { "application/json": { schema: cronSchema } },
    },
    401: { $ref: "#/components/responses/Unauthenticated" },
  };
  return { post: { operationId: id, summary, tags: ["cron"], security: [{ cron: [] }], parameters, responses } };
}

function health(id: string, summary: string, failing: Record<string, unknown>) {
  return {
    get: {
      operationId: id,
      summary,
      tags: ["health"],
      security: [],
      responses: { 200: { description: "Yes." }, ...failing },
    },
  };
}

const signInFlow = (id: string, summary: string, names: string[]) => ({
  get: {
    operationId: id,
    summary,
    tags: ["connections"],
    security: [{ session: [] }],
    parameters: names.map((name) => ({ name, in: "query", required: true, schema: { type: "string" } })),
    responses: { 302: { description: "The browser goes on." }, 403: { $ref: "#/components/responses/Forbidden" } },
  },
});

const metrics = {
  get: {
    operationId: "metrics",
    summary: "Numbers for Prometheus: of everything with CRON_SECRET, of one workspace with an API key",
    tags: ["health"],
    security: [{ cron: [] }, { apiKey: [] }],
    responses: {
      200: { description: "Prometheus' text format 0.0.4.", content: { "text/plain": { schema: { type: "string" } } } },
      401: { $ref: "#/components/responses/Unauthenticated" },
    },
  },
};

const delivery = {
  post: {
    operationId: "zendeskWebhook",
    summary: "A delivery of Zendesk's: signed over its timestamp and raw body, answered 2xx only when stored",
    tags: ["webhooks"],
    security: [],
    parameters: [
      { name: "connectionId", in: "path", required: true, schema: { type: "string" } },
      ...["x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp", "x-zendesk-account-id"].map(
        (name) => ({
          name,
          in: "header",
          required: true,
          schema: { type: "string" },
        }),
      ),
    ],
    responses: {
      200: { description: "Stored; or it had been before." },
      401: { $ref: "#/components/responses/Unauthenticated" },
      503: { $ref: "#/components/responses/Unavailable" },
    },
  },
};

export const plainPaths = {
  "/api/webhooks/zendesk/{connectionId}": delivery,
  "/metrics": metrics,
  "/api/cron/sync": cron("cronSync", "Do the syncs that are due"),
  "/api/cron/reconcile": cron("cronReconcile", "Do the nightly reconciles that are due"),
  "/api/cron/maintenance": cron("cronMaintenance", "Do the maintenance that is due"),
  "/api/health/live": health("live", "Whether the process lives", {}),
  "/api/health/ready": health("ready", "Whether it can serve", {
    503: { $ref: "#/components/responses/Unavailable" },
  }),
  "/api/v1/connections/oauth/start": signInFlow("startOauth", "Connect a Zendesk in the browser", ["subdomain"]),
  "/api/v1/connections/oauth/callback": signInFlow("finishOauth", "Where Zendesk sends the browser back to", [
    "code",
    "state",
  ]),
};
