import { type LookupAddress, lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { ZendeskError } from "#lib/zendesk/failures.ts";

const valid = /^[a-z0-9](-?[a-z0-9])*$/;
const longest = 63;

/** What people type for a subdomain: `acme`, ` Acme `, `acme.zendesk.com`, `https://acme.zendesk.com/agent/…`. */
export function normalizeSubdomain(text: string): string {
  const typed = text.trim().toLowerCase();
  const whole = /^(?:https:\/\/)?([^/@:?#\s]+)\.zendesk\.com(?:\/.*)?$/s.exec(typed);
  return checkSubdomain(whole?.[1] ?? typed);
}

/** Nothing but a plain host label ever gets into a URL (row 107). */
export function checkSubdomain(subdomain: string): string {
  if (subdomain.length <= longest && valid.test(subdomain)) return subdomain;
  throw new ZendeskError({
    code: "bad_subdomain",
    scope: "connection",
    about: "subdomain",
    message: `${JSON.stringify(subdomain.slice(0, 80))} is not a Zendesk subdomain.`,
    action: "Enter the first part of your Zendesk address: acme for https://acme.zendesk.com.",
  });
}

/** The base that paths are appended to, without a slash at its end. */
export function baseUrl(template: string, subdomain: string): string {
  const base = template.replaceAll("{subdomain}", checkSubdomain(subdomain));
  const url = new URL(base);
  if (url.username || url.password || url.search || url.hash)
    throw new Error("The Zendesk address must be a plain one.");
  return base;
}

const privateRanges = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const) {
  privateRanges.addSubnet(network, prefix, "ipv4");
}
/** Global unicast is 2000::/3; what tunnels IPv4 inside it is judged by nobody and refused. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");
const tunnels = new BlockList();
tunnels.addSubnet("2001::", 32, "ipv6");
tunnels.addSubnet("2001:db8::", 32, "ipv6");
tunnels.addSubnet("2002::", 16, "ipv6");

/** Whether an address belongs to this machine, its networks or nobody: never a Zendesk. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return privateRanges.check(address, "ipv4");
  if (family === 6) return !globalUnicast.check(address, "ipv6") || tunnels.check(address, "ipv6");
  return true;
}

type Resolve = (host: string, done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void) => void;

const resolveBySystem: Resolve = (host, done) => systemLookup(host, { all: true }, done);

/** A name lookup for sockets that fails when any of a host's addresses is a private one. */
export function publicLookup(resolve: Resolve = resolveBySystem): LookupFunction {
  return (host, options, done) => {
    resolve(host, (error, addresses) => {
      const refused = addresses?.find(({ address }) => isPrivateAddress(address));
      const first = addresses?.[0];
      if (error || !first) done(error ?? new Error(`${host} has no address`), "", 0);
      else if (refused) done(new PrivateAddressError(host), "", 0);
      else if (options.all) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

export class PrivateAddressError extends Error {
  override readonly name = "PrivateAddressError";
  readonly code = "EPRIVATE";

  constructor(host: string) {
    super(`${host} resolves to a private address`);
  }
}
