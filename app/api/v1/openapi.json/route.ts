import { route } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { getOpenApi, openApiDocument } from "#app/api/v1/openapi.json/document.ts";

export const GET = route(getOpenApi, async () => openApiDocument());

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
