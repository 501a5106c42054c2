import { instantWords } from "#lib/time-words.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";

/** Why there is no working webhook, and what a person can do about it. */
export interface RefusalWords {
  state: "refused" | "unreachable" | "failing";
  code: string;
  message: string;
  action: string;
}

const byHand = "make the webhook in Zendesk by hand for the address shown here and enter its signing secret";

export const words = {
  readOnly: {
    state: "refused",
    code: "read_only",
    message:
      "This connection may only read, so that no webhook was made in Zendesk; changes come with the regular runs.",
    action: `For changes within seconds, connect with write access, or ${byHand}.`,
  },
  unreachable: {
    state: "unreachable",
    code: "no_public_url",
    message: "Zendesk has no address to call: this product does not know its own; changes come with the regular runs.",
    action:
      "Set PUBLIC_URL to the https address at which this product is reached from the internet, then start it again.",
  },
} as const satisfies Record<string, RefusalWords>;

/** What an answer of Zendesk's means for the webhook; null for what is no answer of Zendesk's. */
export function refusalOf(error: unknown): RefusalWords | null {
  if (error instanceof WaitNeeded) {
    return {
      state: "failing",
      code: "waiting",
      message: `Zendesk takes no requests before ${instantWords(error.until)}: the webhook could not be checked.`,
      action: "Nothing to do: the next check comes within the hour.",
    };
  }
  if (!(error instanceof ZendeskError)) return null;
  if (error.status === 403) {
    return {
      state: "refused",
      code: error.code,
      message: `Zendesk does not let this login manage webhooks${error.said && ` (${error.said})`}.`,
      action: `Reconnect as an administrator with write access, or ${byHand}.`,
    };
  }
  if (error.status === 404 && error.scope === "stream") {
    return {
      state: "refused",
      code: "no_webhooks",
      message: "This Zendesk has no webhooks; changes come with the regular runs.",
      action: "Check that the plan includes webhooks.",
    };
  }
  return { state: "failing", ...error.words() };
}
