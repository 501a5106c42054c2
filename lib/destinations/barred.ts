import { type Claimed, isBarred, type Standing } from "#lib/destinations/store/claims.ts";
import { accountName } from "#lib/destinations/store/deliveries.ts";
import { Barred } from "#lib/destinations/verdicts.ts";

/** What of ours forbids a write now. */
export function barredBy(standing: Standing, { isTest, zendeskAccount }: Claimed): Barred | null {
  if (standing.deleted)
    return final("destination_deleted", "The destination was deleted before this was sent.", "Send the call again.");
  if (standing.stopped) return waiting("stopped", "The destination was stopped.", "Start it to go on.");
  if (!standing.enabled && !isTest) return waiting("off", "The destination is off.", "Switch it on to go on.");
  if (standing.access !== "read_write") {
    return final(
      "no_write_grant",
      "The connection may only be read from: nothing was sent.",
      "Reconnect it to read and write, then replay.",
    );
  }
  if (!isSameAccount(zendeskAccount, standing)) {
    const now = accountName(standing.subdomain, standing.accountId);
    return final(
      "different_account",
      `This was meant for the Zendesk account ${zendeskAccount}, and the connection reads ${now} now: nothing was sent.`,
      "If that is the same account under another name, replay. If not, discard it, and make a connection of its own for the new account.",
    );
  }
  if (isBarred(standing))
    return waiting("connection", "The connection is paused, or its login fails.", "See the connection's own notice.");
  return null;
}

const waiting = (code: string, reason: string, fix: string) =>
  new Barred({ code, reason: `${reason} It stays queued.`, fix, isFinal: false });
const final = (code: string, reason: string, fix: string) => new Barred({ code, reason, fix, isFinal: true });

/** A number that was not known yet when the delivery was made is no other one. */
function isSameAccount(bound: string | null, { subdomain, accountId }: Standing): boolean {
  const [name, number] = (bound ?? "").split("#");
  return name === subdomain && (number === undefined || accountId === null || number === accountId);
}
