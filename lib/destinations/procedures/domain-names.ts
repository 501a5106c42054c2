import { isFreeMail } from "#lib/matching/free-mail.ts";

/** A domain in the letters of the web, by which two are compared. */
export const asDomain = (name: string): string =>
  URL.canParse(`http://${name}`) ? new URL(`http://${name}`).hostname : name.toLowerCase();

/** Domains as Zendesk keeps them, and why others were left out: what people write may be an address of the web or of a mail. */
export function cleanDomains(given: readonly string[]): { domains: string[]; refused: string[] } {
  const domains = new Set<string>();
  const refused: string[] = [];
  for (const text of given.flatMap((item) => item.split(/[\s,;]+/)).filter((item) => item !== "")) {
    const domain = text
      .toLowerCase()
      .replace(/^[a-z]+:\/\//, "")
      .replace(/^.*@/, "")
      .replace(/[/?#:].*$/, "")
      .replace(/^www\.|\.$/g, "");
    if (!/^(?!-)[\p{L}\p{N}-]{1,63}(\.[\p{L}\p{N}-]{1,63})+$/u.test(domain)) refused.push(`“${text}” is no domain`);
    else if (isFreeMail(domain)) refused.push(`${domain} belongs to free mail, where anybody gets an address`);
    else domains.add(domain);
  }
  return { domains: [...domains], refused };
}
