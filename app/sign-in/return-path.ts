const base = "http://bellwether.invalid";

/**
 * Where sign-in leads: a page of ours, or home for anything else. An address that a browser would read as another site's
 * (`//evil.example`, `/\evil.example`, `https:evil.example`) is not followed.
 */
export function returnPath(asked: string | string[] | undefined): string {
  if (typeof asked !== "string" || !asked.startsWith("/") || !URL.canParse(asked, base)) return "/";
  const url = new URL(asked, base);
  const isPage = url.origin === base && !/^\/(api|sign-in)(\/|$)/.test(url.pathname);
  return isPage ? `${url.pathname}${url.search}${url.hash}` : "/";
}
