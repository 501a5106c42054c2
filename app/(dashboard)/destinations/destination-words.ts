import type { Status } from "#app/_ui/status.ts";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import {
  type CommandKind,
  commandKinds,
  type DeliveryState,
  type Destination,
  deliveryStates,
  discarded,
  type Profile,
  type Settings,
} from "#lib/destinations/shapes.ts";

const destinationStates: Record<Destination["state"], { status: Status; words: string; means: string }> = {
  off: { status: "unknown", words: "off", means: "It takes no events and sends nothing." },
  on: { status: "good", words: "on", means: "Events of its sources are written to Zendesk." },
  stopped: { status: "bad", words: "stopped", means: "It takes events and keeps them queued; nothing is sent." },
};

/** How a destination stands: on, and yet nothing can be sent or much fails, is no good state. A pause is somebody's own choice. */
export function stateOf({ state, blocked, unanswered, failing }: Destination) {
  if (state !== "on") return destinationStates[state];
  if (blocked?.code === "paused") return { status: "watch" as const, words: "on, but paused", means: blocked.reason };
  if (blocked) return { status: "bad" as const, words: "on, but blocked", means: blocked.reason };
  if (unanswered) return { status: "watch" as const, words: "on, no answer", means: unanswered.reason };
  if (failing) return { status: "watch" as const, words: "on, many fail", means: failing.reason };
  return destinationStates.on;
}

/** What a person has discarded has failed, and is shown apart from the dead letters. */
export const shownStates = [...deliveryStates, discarded] as const;
export type ShownState = (typeof shownStates)[number];
export const shownState = ({ state, code }: { state: DeliveryState; code: string | null }): ShownState =>
  state === "failed" && code === discarded ? discarded : state;

export const deliveryWords: Record<ShownState, { status: Status; words: string; means: string }> = {
  queued: { status: "unknown", words: "queued", means: "Waits for its turn." },
  sending: { status: "unknown", words: "sending", means: "Is being written to Zendesk." },
  done: { status: "good", words: "done", means: "Zendesk has it, or a note says that it is kept here." },
  failed: { status: "bad", words: "failed", means: "Was not written; it stays here until it is replayed." },
  unknown: { status: "watch", words: "unknown", means: "May have been written. It can only be replayed or discarded." },
  discarded: { status: "unknown", words: "discarded", means: "Somebody decided that it is never done." },
  held: { status: "watch", words: "held", means: "Waits for a person’s word." },
};

/** A code of a reason, as a person reads it. */
export const reasonWords = (code: string): string => code.replaceAll("_", " ");

const nameOf = (kind: CommandKind) => (kind === "write_back" ? "Write back" : actionDefinitions[kind].name);
/** What a delivery does, in the words of its action. */
export const commandNames = Object.fromEntries(commandKinds.map((kind) => [kind, nameOf(kind)])) as Record<
  CommandKind,
  string
>;

export const profileNames: Record<Profile, string> = {
  customerio: "Customer.io-like",
  rudderstack: "RudderStack-like",
};

type Choice = { value: string; label: string; means: string };
export interface SettingWords<Key extends keyof Settings = keyof Settings> {
  key: Key;
  label: string;
  /** Of a setting that is on or off: `on` first. */
  choices: readonly Choice[];
}

/** What becomes of a trait that no field takes, said after "where there is none". */
export const traitPolicyWords: Record<Settings["unknownUserTraits"], string> = {
  discard: "it is left out",
  ask: "the write is held until a person approves the new field",
  create: "the field is created",
};

const traits = (field: string): Choice[] => [
  { value: "discard", label: "Leave it out", means: "The rest is written; the delivery names what was left out." },
  { value: "ask", label: "Ask first", means: "The write is held until a person approves the new field." },
  { value: "create", label: "Create the field", means: `${field} field is created in Zendesk and filled.` },
];
const onOff = (on: string, off: string): Choice[] => [
  { value: "true", label: "On", means: on },
  { value: "false", label: "Off", means: off },
];

/** Every setting in words: what it is about, and what each choice does. */
export const settingWords: readonly SettingWords[] = [
  {
    key: "unknownUserOnTrack",
    label: "An event of somebody whom Zendesk does not know",
    choices: [
      { value: "error", label: "Fail", means: "Listed as failed; taken up again when the person is identified." },
      { value: "create", label: "Create the user", means: "The person is created first, then the event is written." },
    ],
  },
  { key: "unknownUserTraits", label: "A user trait that no field takes", choices: traits("A user") },
  {
    key: "unknownOrganizationTraits",
    label: "An organization trait that no field takes",
    choices: traits("An organization"),
  },
  {
    key: "associateOnGroup",
    label: "Associate users on group calls",
    choices: onOff(
      "The user of a group call becomes a member; other memberships stay.",
      "Only the organization is written.",
    ),
  },
  {
    key: "acceptGroupWithoutUser",
    label: "Accept group calls without a user",
    choices: onOff("The organization is written alone.", "Such calls fail with their reason."),
  },
  {
    key: "allowRemovals",
    label: "Allow removals from organizations",
    choices: onOff(
      "Each removal waits for approval and lists the tickets that Zendesk would unassign.",
      "Asked-for removals fail; nobody is removed.",
    ),
  },
  {
    key: "createVerified",
    label: "Create users as verified",
    choices: onOff("New addresses count as confirmed. Only for people who agreed.", "Addresses stay unverified."),
  },
  {
    key: "skipVerifyEmail",
    label: "Skip the verification mail",
    choices: onOff("Zendesk mails nobody when a user is created.", "Zendesk mails every user it creates."),
  },
];

/** The choice of a setting that holds. */
export function choiceOf({ key, choices }: SettingWords, settings: Settings): Choice {
  const value = String(settings[key]);
  return choices.find((choice) => choice.value === value) ?? { value, label: value, means: "" };
}

/** The settings with one changed, from the text of a choice. */
export function withChoice(settings: Settings, key: keyof Settings, value: string): Settings {
  return { ...settings, [key]: value === "true" ? true : value === "false" ? false : value };
}
