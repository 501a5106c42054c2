import { plainRoute } from "#app/api/handler.ts";

export const GET = plainRoute("live", async () => Response.json({ status: "live" }));
