import { z } from "zod";
import { cronAnswer } from "#lib/connections/shapes.ts";
import { eventTypes } from "#lib/sources/shapes.ts";

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

const { $schema: _schema, ...doorNames } = z.toJSONSchema(z.enum([...eventTypes, "batch"]));

const door = {
  post: {
    operationId: "sendEvents",
    summary:
      "Events in, in Segment's form: one of the door's type, or a batch, as JSON of at most 500 KB, gzipped or not; stored, then answered",
    description: [
      "A call is at most 500 KB, before and after it is unpacked, and holds any number of events; an event is at most 32 KB with what it inherits from the top of its batch, and what stands there comes to at most 32 MB in all events of the call.",
      "Inside a batch each event is judged alone: one that is refused is told in `rejected`, never by the status of the call. The doors of one type answer 400 or 413 for theirs.",
      "A `messageId` is accepted once in 7 days, as it was sent: at most 512 characters, blanks and case included. A batch that is sent again lists its refused events again in `rejected`, and stores each of them once more with its reason. A key in the header is judged before the body is read: one that does not work is answered at once, and the connection is closed. Without the header it may stand in the body as `writeKey`.",
    ].join("\n\n"),
    tags: ["events"],
    security: [{ writeKey: [] }, { writeKeyAsBearer: [] }],
    parameters: [{ name: "door", in: "path", required: true, schema: doorNames }],
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: { type: "object" },
          examples: {
            track: { value: { userId: "u-1", event: "Ticket Created", properties: { subject: "Help" } } },
            batch: { value: { batch: [{ type: "identify", userId: "u-1", traits: { email: "ann@example.com" } }] } },
          },
        },
      },
    },
    responses: {
      200: {
        description: "Stored. Of a batch, `rejected` names the events that were refused; the others went through.",
        content: {
          "application/json": {
            schema: {
              type: "object",
              required: ["success"],
              properties: {
                success: { const: true },
                rejected: {
                  type: "array",
                  items: {
                    type: "object",
                    properties: {
                      index: { type: "integer" },
                      messageId: { type: ["string", "null"] },
                      message: { type: "string" },
                    },
                  },
                },
              },
            },
          },
        },
      },
      400: { $ref: "#/components/responses/Malformed" },
      401: { $ref: "#/components/responses/Unauthenticated" },
      403: { $ref: "#/components/responses/Forbidden", description: "The source is switched off." },
      413: {
        $ref: "#/components/responses/TooLarge",
        description: "The call is larger than 500 KB, or the event of a door of one type larger than 32 KB.",
      },
      503: {
        $ref: "#/components/responses/Unavailable",
        description:
          "Not all was stored, or more comes than can be held. Send the call again: what was stored is known by its messageId.",
      },
    },
  },
};

export const plainPaths = {
  "/v1/{door}": door,
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
