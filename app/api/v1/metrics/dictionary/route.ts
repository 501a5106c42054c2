import { route } from "#app/api/handler.ts";
import { getMetricDictionary } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { metricDefinitions } from "#lib/metrics/definitions.ts";

export const GET = route(getMetricDictionary, async () => ({ items: [...metricDefinitions], nextCursor: null }));

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
