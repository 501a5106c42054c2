import { AppError } from "#lib/errors.ts";

/**
 * Refuses an unsafe request that a browser sends for another site (row 112). Only for requests that a cookie
 * authenticates: browsers add the cookie by themselves, but never a Bearer key. `publicUrl` is the configured origin; without
 * one the request's own host decides, which another site's page cannot choose.
 */
export function requireOurOrigin(request: Request, publicUrl: string | null): void {
  const origin = request.headers.get("origin");
  if (origin !== null && isOurs(origin, request, publicUrl)) return;
  const named = origin === null ? "no origin" : `the origin ${origin.slice(0, 200)}`;
  throw new AppError(
    "forbidden",
    `The request carries ${named}, and only ${publicUrl ?? "pages of this server"} may change things with the browser's session. Programs send an API key: Authorization: Bearer <key>.`,
  );
}

function isOurs(origin: string, request: Request, publicUrl: string | null): boolean {
  if (publicUrl !== null) return origin === publicUrl;
  return URL.canParse(origin) && new URL(origin).host === hostOf(request);
}

/** Host and port by which the browser knows us. */
function hostOf(request: Request): string | null {
  const forwarded = request.headers.get("x-forwarded-host")?.split(",")[0]?.trim();
  return (forwarded || request.headers.get("host"))?.toLowerCase() ?? null;
}
