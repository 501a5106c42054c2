import { type Finding, failure, ok, unknown, type Visit, warning } from "#lib/connections/doctor-checks/finding.ts";
import { countWords } from "#lib/number-words.ts";
import { instantWords } from "#lib/time-words.ts";
import { lostDeliveries, uncheckedSince } from "#lib/webhooks/lost.ts";

/** What should be fetched within seconds and was not for so long. Milliseconds. */
const tooLong = 5 * 60_000;

/**
 * How changes arrive between runs. Its hourly check is the webhook's own; here stands what it last said, whether it still
 * happens, and what the runs say of deliveries that were lost (rows 87, 93).
 */
export function checkWebhook({ connection, facts, now }: Visit): Finding[] {
  const { webhook, hints, announced } = facts;
  const runs = "Changes arrive with the regular runs.";
  if (!webhook || webhook.state === "none") return [ok("webhook", `There is none. ${runs}`)];
  const heard = webhook.last_delivery_at
    ? `Last delivery ${instantWords(webhook.last_delivery_at)}.`
    : "Nothing was delivered yet.";
  const checked = webhook.checked_at ? ` Last looked at ${instantWords(webhook.checked_at)}.` : "";
  const found = `${kinds[webhook.kind ?? ""] ?? "A webhook"}. ${heard}${checked} ${countWords(hints.waiting)} waiting to be fetched.`;
  if (webhook.state !== "active") {
    const words = `${webhook.failure_message ?? `It is ${webhook.state}.`} ${runs} ${heard}`;
    const action = webhook.failure_action ?? "Check the webhook of this connection.";
    // A connection that only reads is as it should be.
    if (webhook.failure_code === "read_only") return [ok("webhook", webhook.failure_message ?? runs)];
    if (webhook.state === "failing") return [failure("webhook", words, action)];
    return [{ ...unknown("webhook", words), state: "warning", action }];
  }
  const checks = { checkedAt: webhook.checked_at, activeSince: webhook.active_since };
  const troubles = [
    waitingLong(hints.oldest, now),
    announced && lostDeliveries(announced, now),
    // The webhook of a connection that rests is not looked at.
    connection.state === "paused" ? null : uncheckedSince(checks, now),
  ].filter((trouble) => trouble !== null);
  if (troubles.length === 0) return [ok("webhook", found)];
  const messages = troubles.map(({ message }) => message).join(" ");
  return [warning("webhook", `${found} ${messages}`, troubles.map(({ action }) => action).join(" "))];
}

function waitingLong(oldest: Date | null, now: Date): { message: string; action: string } | null {
  if (oldest === null || now.getTime() - oldest.getTime() <= tooLong) return null;
  return {
    message: `The oldest since ${instantWords(oldest)}.`,
    action: "See the rate limits: what was delivered is fetched as soon as they allow, at the latest by the next run.",
  };
}

const kinds: Record<string, string> = {
  events: "Zendesk's event subscriptions",
  trigger: "A trigger, for tickets only",
  manual: "A webhook that a person made in Zendesk",
};
