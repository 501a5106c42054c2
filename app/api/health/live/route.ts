import { plainRoute } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";

export const GET = plainRoute("live", async () => Response.json({ status: "live" }), { quiet: true });

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
