/** The user name of Basic authentication, or what follows Bearer; empty for another scheme, null without the header. */
export function keyShown(authorization: string | null | undefined): string | null {
  if (authorization === null || authorization === undefined) return null;
  const [scheme = "", value = ""] = authorization.trim().split(/\s+/, 2);
  if (/^bearer$/i.test(scheme)) return value;
  return /^basic$/i.test(scheme) ? (Buffer.from(value, "base64").toString("utf8").split(":", 1)[0] ?? "") : "";
}
