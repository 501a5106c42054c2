import { plainRoute } from "#app/api/handler.ts";
import { AppError } from "#lib/errors.ts";

/** Addresses under /api that are nobody's answer in the API's own form. */
const nowhere = plainRoute("unknown address", async (request) => {
  const { pathname } = new URL(request.url);
  throw new AppError(
    "not_found",
    `Nothing answers ${request.method} ${pathname.slice(0, 200)}; GET /api/v1/openapi.json lists what does.`,
  );
});

export { nowhere as DELETE, nowhere as GET, nowhere as PATCH, nowhere as POST, nowhere as PUT };
