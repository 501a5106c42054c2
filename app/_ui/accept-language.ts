/** The first usable language tag of an Accept-Language header, or "en". */
export function localeOf(acceptLanguage: string | null): string {
  for (const part of (acceptLanguage ?? "").split(",")) {
    const tag = part.split(";")[0]?.trim();
    if (!tag || tag === "*") continue;
    try {
      const supported = Intl.NumberFormat.supportedLocalesOf([tag])[0];
      if (supported) return supported;
    } catch {
      // Not a language tag: headers are the client's to write.
    }
  }
  return "en";
}
