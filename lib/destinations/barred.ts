import { type Claimed, isBarred, type Standing } from "#lib/destinations/store/claims.ts";
import { accountName } from "#lib/destinations/store/deliveries.ts";
import { Barred } from "#lib/destinations/verdicts.ts";

export { rebindDeliveries } from "#lib/destinations/store/deliveries.ts";

/** The code of what was meant for another account than the one that its connection reads now (row 106). */
export const differentAccount = "different_account";

/** What of ours forbids a write now. */
export function barredBy(standing: Standing, { isTest, isUnknown, zendeskAccount }: Claimed): Barred | null {
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
      differentAccount,
      `This was meant for the Zendesk account ${zendeskAccount}, and the connection reads ${now} now: nothing was sent.`,
      isUnknown
        ? "It may have been written there: look in that account, then discard this."
        : "If that is the same account under another name, replay. If not, discard it, and make a connection of its own for the new account.",
    );
  }
  if (!isBarred(standing)) return null;
  if (standing.state === "paused") return waiting("connection", "The connection was paused.", "Resume it to go on.");
  if (standing.state === "failing")
    return waiting("connection", "The connection’s login or address fails.", "Its page says what to do.");
  return waiting("connection", `The connection was ${standing.state}.`, "Reconnect it to go on.");
}

const waiting = (code: string, reason: string, fix: string) =>
  new Barred({ code, reason: `${reason} It stays queued.`, fix, isFinal: false });
const final = (code: string, reason: string, fix: string) => new Barred({ code, reason, fix, isFinal: true });

/** A number that was not known yet when the delivery was made is no other one. */
function isSameAccount(bound: string | null, { subdomain, accountId }: Standing): boolean {
  const [name, number] = (bound ?? "").split("#");
  return name === subdomain && (number === undefined || accountId === null || number === accountId);
}
