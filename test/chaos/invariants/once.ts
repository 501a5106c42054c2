import type { ChaosAccount } from "../accounts.ts";
import type { Violation } from "../violation.ts";

/** INV-ONCE: however often answers were lost, whoever paused or removed it, the account ends with one webhook, at work. */
export function oneWebhook({ world, subdomain }: ChaosAccount): Violation[] {
  const webhooks = [...world.webhooks.byId.values()];
  if (webhooks.length === 1 && webhooks[0]?.status === "active") return [];
  const list = webhooks.map(({ name, status }) => `${name} (${status})`).join(", ") || "none";
  return [{ invariant: "INV-ONCE", what: `${subdomain} should have one active webhook and has ${list}` }];
}
