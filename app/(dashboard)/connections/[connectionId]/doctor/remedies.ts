/** Where the finding of a check is acted on; null where nothing on these screens would help. */
export function remedyOf(check: string, action: string, connectionId: string): { href: string; label: string } | null {
  const at = (place: string) => `/connections/${connectionId}${place}`;
  if (/approv/i.test(action)) return { href: at("?tab=held#absent"), label: "Decide" };
  if (/\bheld\b/i.test(action)) return { href: at("?tab=held"), label: "Show the held rows" };
  // What the plan lacks no login brings.
  if (/\bplan\b/i.test(action)) return null;
  if (check === "webhook") return { href: at("#webhook"), label: "Show the webhook" };
  if (check === "schedule") return { href: at("?tab=runs"), label: "Show the runs" };
  const ofLogin = ["address", "login", "credentials", "scopes", "csat"].includes(check) || check.startsWith("stream:");
  return ofLogin ? { href: at("?tab=settings#login"), label: "Open the login" } : null;
}
