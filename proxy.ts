import { randomBytes } from "node:crypto";
import { type NextRequest, NextResponse } from "next/server";

/*
 * Headers for pages: a content security policy with a nonce of this request, and the page's own address for sign-in to lead
 * back to. It guards nothing: every page and every route checks by itself who is asking (row 110).
 * The API and the event doors are left out, since the framework would hold their request bodies in memory to hand them on.
 */

export const config = { matcher: ["/((?!api/|v1/|_next/static/|_next/image|favicon.ico).*)"] };

const yearSeconds = 31_536_000;

export function proxy(request: NextRequest): NextResponse {
  const nonce = randomBytes(16).toString("base64");
  const policy = contentSecurityPolicy(nonce);
  const headers = new Headers(request.headers);
  headers.set("x-nonce", nonce);
  headers.set("x-bellwether-path", pathOf(request.nextUrl));
  headers.set("content-security-policy", policy); // from here the framework takes the nonce for its own scripts
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  if (isHttps(request)) response.headers.set("strict-transport-security", `max-age=${yearSeconds}`);
  return response;
}

function contentSecurityPolicy(nonce: string): string {
  // The development server evaluates code to show where an error comes from.
  const development = process.env.NODE_ENV === "development" ? " 'unsafe-eval'" : "";
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** The address as the person sees it, without what the framework adds when it fetches a page. */
function pathOf(url: URL): string {
  const query = new URLSearchParams(url.search);
  query.delete("_rsc");
  return query.size === 0 ? url.pathname : `${url.pathname}?${query}`;
}

function isHttps(request: NextRequest): boolean {
  const forwarded = request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim();
  return (forwarded ?? request.nextUrl.protocol.replace(":", "")) === "https";
}
