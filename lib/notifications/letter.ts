import type { DueLetter } from "#lib/notifications/store/letters.ts";
import { aboutDestination } from "#lib/notifications/writing.ts";
import { instantWords } from "#lib/time-words.ts";

export interface Letter {
  subject: string;
  text: string;
}

/** What a kind of notice is called when it begins, when it is over, and what goes on meanwhile. */
interface Kind {
  begins: string;
  ends: string;
  works: string;
}

const kept = "Everything read before stays, and every number shows how old it is.";
const kinds: Record<string, Kind> = {
  failing: { begins: "does not sync", ends: "syncs again", works: kept },
  failed: {
    begins: "is not read completely",
    ends: "is read completely again",
    works: "The other streams go on. What was read before stays, and every number shows how old it is.",
  },
  degraded: {
    begins: "is read with doubts",
    ends: "is read without doubts again",
    works: "Reading goes on; nothing is removed on account of a doubt.",
  },
  approval_needed: {
    begins: "waits for your word about absent rows",
    ends: "waits for no word any more",
    works: "Reading goes on; the rows are kept and counted until somebody decides.",
  },
  stale: { begins: "has old numbers", ends: "has fresh numbers again", works: kept },
  drift: {
    begins: "differed unusually much from Zendesk",
    ends: "was found as in Zendesk again, but for what is usual",
    works: "What could be repaired was repaired at once, and the numbers with it.",
  },
  api_token_ends: {
    begins: "signs in with a token that ends",
    ends: "does not depend on that token any more",
    works: "Reading goes on until that day.",
  },
  login_ends: {
    begins: "needs its sign-in renewed",
    ends: "has its sign-in renewed",
    works: "What was read before stays.",
  },
  webhook_failing: {
    begins: "hears of changes late",
    ends: "hears of changes at once again",
    works: "Changes arrive with the regular runs, and the nightly check finds what was missed.",
  },
  webhook_silent: {
    begins: "loses deliveries of its webhook",
    ends: "loses no deliveries of its webhook any more",
    works: "Changes arrive with the regular runs, and the nightly check finds what was missed.",
  },
  webhook_unchecked: {
    begins: "has a webhook that nobody looks after",
    ends: "has its webhook looked after again",
    works: "Changes arrive with the regular runs, and the nightly check finds what was missed.",
  },
  writing_blocked: {
    begins: "is not written to",
    ends: "is written to again",
    works: "Reading goes on, and events are taken and kept.",
  },
  writing_paused: {
    begins: "is paused, and not written to",
    ends: "is written to again",
    works: "Events are taken and kept queued.",
  },
  writing_ended: {
    begins: "is disconnected, and not written to",
    ends: "is written to again",
    works: "Events are taken and kept queued.",
  },
  writing_unanswered: {
    begins: "does not answer writes",
    ends: "answers writes again",
    works: "Events are taken and kept, and what waits is tried again.",
  },
  dead_letters: {
    begins: "does not take many writes",
    ends: "takes its writes again",
    works: "They are kept until somebody replays or discards them.",
  },
  clock_skew: {
    begins: "has a clock that differs",
    ends: "has the same time again",
    works: "Reading goes by Zendesk's own clock.",
  },
};
const other: Kind = { begins: "needs attention", ends: "needs no attention any more", works: kept };

/** The letter that a notice calls for, in plain text. Pure. `publicUrl`: the product's address, where known. */
export function letterOf(notice: DueLetter, publicUrl: string | null): Letter {
  const [kind = ""] = notice.code.split(":");
  const { begins, ends, works } = kinds[kind] ?? other;
  const name = oneLine(notice.connection);
  const about = aboutDestination(notice.code);
  const place = about ? `destinations/${about.id}` : `connections/${notice.connection_id}`;
  const link = publicUrl ? [`${publicUrl}/${place}`] : [];
  const raised = instantWords(notice.raised_at);
  const { cleared_at: cleared } = notice;
  if (cleared) {
    const text = [
      `${name} ${ends}.`,
      `It began ${raised} and was over ${instantWords(cleared)}.`,
      oneLine(notice.message),
    ];
    return { subject: `Bellwether: ${name} ${ends}`, text: paragraphs([...text, ...link]) };
  }
  const text = [
    `${name} ${begins}, since ${raised}.`,
    `What happened: ${oneLine(notice.message)}`,
    `What still works: ${works}`,
    `What to do: ${oneLine(notice.action)}`,
  ];
  return { subject: `Bellwether: ${name} ${begins}`, text: paragraphs([...text, ...link]) };
}

/** Names and messages come from elsewhere: a line break in one would look like a line of ours, or be another header. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

const paragraphs = (parts: string[]): string => `${parts.join("\n\n")}\n`;
