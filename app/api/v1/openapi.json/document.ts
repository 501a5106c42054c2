import { z } from "zod";
import { type Operation, operation } from "#app/api/operation.ts";
import * as accounts from "#app/api/operations/accounts.ts";
import * as connections from "#app/api/operations/connections.ts";
import * as destinations from "#app/api/operations/destinations.ts";
import * as sources from "#app/api/operations/sources.ts";
import * as workspace from "#app/api/operations/workspace.ts";
import { bodyExamples } from "#app/api/v1/openapi.json/examples.ts";
import { plainPaths } from "#app/api/v1/openapi.json/plain-paths.ts";
import { errorAnswer } from "#lib/api/shapes.ts";
import { condition } from "#lib/destinations/shapes.ts";

export const getOpenApi = operation({
  id: "getOpenApi",
  method: "GET",
  path: "/api/v1/openapi.json",
  summary: "This document",
  role: "viewer",
  answer: z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) }),
});

/** Every operation of the catalogue: what a route file may serve and the document describes. */
export const allOperations: readonly Operation[] = [
  ...Object.values(accounts),
  ...Object.values(connections),
  ...Object.values(destinations),
  ...Object.values(sources),
  ...Object.values(workspace),
  getOpenApi,
];

type Json = Record<string, unknown>;

/** OpenAPI 3.1, made from the schemas that validate. */
export function openApiDocument() {
  const paths: Record<string, Json> = { ...plainPaths };
  for (const each of allOperations) {
    paths[each.path] = { ...paths[each.path], [each.method.toLowerCase()]: describeOperation(each) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Bellwether",
      version: "1",
      description:
        "Zendesk in, matched accounts, true numbers. Ids are opaque text, Zendesk ids too. Instants are ISO-8601 UTC, days YYYY-MM-DD in the workspace's zone. Roles: viewer < csm < admin.",
    },
    servers: [{ url: "/" }],
    security: [{ apiKey: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "An API key of the workspace." },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "bellwether-session",
          description: "The browser's session; unsafe methods must come from our own origin.",
        },
        cron: { type: "http", scheme: "bearer", description: "The value of CRON_SECRET." },
        writeKey: { type: "http", scheme: "basic", description: "A source's write key as user name, no password." },
        writeKeyAsBearer: { type: "http", scheme: "bearer", description: "A source's write key." },
      },
      schemas: { Error: jsonSchema(errorAnswer, "output"), ...sharedSchemas() },
      responses: Object.fromEntries(Object.entries(failures).map(([name, text]) => [name, failure(text)])),
    },
  };
}

const failures = {
  Malformed: "The body could not be read: not JSON, not UTF-8, another content type.",
  Unauthenticated: "Nobody is signed in, or the key does not work.",
  Forbidden: "The role does not reach, or the request comes from another site.",
  NotFound: "There is no such thing in this workspace.",
  Conflict: "It does not fit what is there now, or the Idempotency-Key belongs to another request.",
  TooLarge: "The body is larger than the limit, which the message names.",
  Invalid: "Values that cannot be accepted; `details` names each place.",
  Unavailable: "The database cannot be reached just now. Try again.",
};
type Failure = keyof typeof failures;

function describeOperation(each: Operation): Json {
  const { id, summary, role, path } = each;
  const body = requestBody(each);
  return {
    operationId: id,
    summary,
    description: `Least role: ${role}.`,
    tags: [path.split("/")[3] ?? ""],
    "x-role": role,
    ...withItems("parameters", [...pathParameters(path), ...queryParameters(each), ...headerParameters(each)]),
    ...(body && { requestBody: body }),
    responses: { ...success(each), ...failuresOf(each) },
  };
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters({ query }: Operation): Json[] {
  if (!query) return [];
  const { properties = {}, required = [] } = jsonSchema(query, "input") as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
}

function headerParameters({ idempotent }: Operation): Json[] {
  if (!idempotent) return [];
  const description = "The same key gives the first answer again for 24 hours; with another request it is a conflict.";
  return [
    { name: "Idempotency-Key", in: "header", required: false, schema: { type: "string", maxLength: 255 }, description },
  ];
}

function requestBody({ id, body, streamed }: Operation): Json | null {
  if (streamed) return { required: true, content: { "text/csv": { schema: { type: "string" } } } };
  if (!body) return null;
  const example = bodyExamples[id];
  const content = { schema: jsonSchema(body, "input"), ...(example !== undefined && { example }) };
  return { required: !body.safeParse({}).success, content: { "application/json": content } };
}

function success({ status = 200, answer, query }: Operation): Json {
  if (status === 204) return { 204: { description: "Done." } };
  const offersCsv = query !== undefined && "format" in propertiesOf(query);
  const json = { "application/json": { schema: answer ? jsonSchema(answer, "output") : {} } };
  const csv = { "text/csv": { schema: { type: "string" } } };
  return { [status]: { description: "Done.", content: { ...json, ...(offersCsv && csv) } } };
}

function propertiesOf(query: z.ZodType): Json {
  return (jsonSchema(query, "input") as { properties?: Json }).properties ?? {};
}

function failuresOf({ path, query, body, streamed, idempotent, method }: Operation): Json {
  const takesBody = Boolean(body || streamed);
  const applying: [boolean, number, Failure][] = [
    [takesBody, 400, "Malformed"],
    [true, 401, "Unauthenticated"],
    [true, 403, "Forbidden"],
    [path.includes("{"), 404, "NotFound"],
    [Boolean(idempotent) || method !== "GET", 409, "Conflict"],
    [takesBody, 413, "TooLarge"],
    [takesBody || query !== undefined, 422, "Invalid"],
    [true, 503, "Unavailable"],
  ];
  const named = applying.filter(([applies]) => applies);
  return Object.fromEntries(named.map(([, status, name]) => [status, { $ref: `#/components/responses/${name}` }]));
}

function failure(description: string): Json {
  return { description, content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } };
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): Json {
  const {
    $schema: _,
    $defs: __,
    ...described
  } = z.toJSONSchema(schema, { io, unrepresentable: "any", metadata: named });
  return withSharedPlaces(described);
}

/** Schemas that name themselves cannot stand inside of others: they have a place of their own, by their name. */
const named = z.registry<{ id?: string }>().add(condition, { id: "Condition" });

function sharedSchemas(): Json {
  const { $defs = {} } = z.toJSONSchema(z.array(condition), { metadata: named });
  return withSharedPlaces($defs);
}

function withSharedPlaces(described: object): Json {
  return JSON.parse(JSON.stringify(described).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
}

function withItems(name: string, items: Json[]): Json {
  return items.length === 0 ? {} : { [name]: items };
}
