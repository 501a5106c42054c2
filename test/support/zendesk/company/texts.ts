import type { Random } from "../world/random.ts";

/** The company sells rostering software; this is what its customers write about. */

const subjects: readonly (readonly [string, number])[] = [
  ["Roster does not publish for {site}", 8],
  ["Shift swap stuck in approval", 7],
  ["How do I add a second site?", 6],
  ["Time clock at {site} shows the wrong hour", 5],
  ["Payroll export is missing overtime", 7],
  ["Cannot sign in after password reset", 8],
  ["Invitation e-mail never arrived for new staff", 6],
  ["Mobile app crashes when opening next week", 5],
  ["Leave requests are not shown to managers", 5],
  ["Please change the billing contact", 4],
  ["Invoice {number} has the wrong VAT number", 4],
  ["Report of worked hours takes minutes to load", 4],
  ["API returns 500 on /shifts", 3],
  ["Single sign-on: users land on a blank page", 3],
  ["Public holidays of {site} are missing", 3],
  ["Can we limit who sees hourly rates?", 3],
  ["Break rules are applied twice", 3],
  ["Duplicate employees after import", 4],
  ["Calendar feed no longer updates", 3],
  ["Feature wish: copy a whole month", 2],
  ["Data export for our auditors", 1],
  ["Forecast suggests far too few people", 3],
];
const crisisSubjects = [
  "Rosters of all sites are gone",
  "Nobody can clock in at {site}",
  "Payroll run blocked again",
  "Overtime calculated wrong for the third time",
  "App down during shift change",
  "Still no answer about the missing hours",
  "Published roster lost after your update",
  "Escalation: payroll deadline is tonight",
] as const;
const onboardingSubjects = [
  "How do we import our employees?",
  "Which role may publish a roster?",
  "Setting up the time clock at {site}",
  "Connecting our payroll provider",
  "Question about break rules",
  "How do templates work?",
  "Training dates for our managers",
  "Single sign-on for our domain",
] as const;
const sites = ["the north depot", "Harbour Street", "site 2", "the new branch", "ward 4", "the airport hall"] as const;

const praise = [
  "Quick and friendly, thank you!",
  "Solved within the hour.",
  "Great explanation, we understood it at once.",
  "Always helpful.",
  "Fixed on the first try.",
] as const;
const complaints = [
  "Took far too long.",
  "The answer did not fit my question.",
  "Had to explain everything twice.",
  "Closed without solving it.",
  "Still not working.",
] as const;
const shrugs = ["It works now, but it took a while.", "Okay.", "Half of it is solved."] as const;
const crisisComments = [
  "Third time this month. We are looking at other vendors before the renewal.",
  "Our night shift could not clock in and nobody called us back.",
  "Payroll was wrong again. My director wants to know why we pay for this.",
  "You closed the ticket, the rosters are still gone.",
  "Since the March update nothing works as it did.",
  "We have lost trust. Please have somebody call us.",
] as const;
const angryComments = [
  "Useless, as always.",
  "I asked for a manager, not for a link to the manual.",
  "Worst tool I ever had to use.",
  "Do you even read what I write?",
] as const;
const reopenings = [
  "It happened again this morning.",
  "Sorry, still the same.",
  "The fix lasted a day.",
  "Not solved.",
] as const;

export type SubjectKind = "everyday" | "crisis" | "onboarding";

export function subjectOf(random: Random, kind: SubjectKind): string {
  const template =
    kind === "everyday"
      ? random.weighted(subjects)
      : random.pick(kind === "crisis" ? crisisSubjects : onboardingSubjects);
  return template.replace("{site}", random.pick(sites)).replace("{number}", String(random.between(20_000, 29_999)));
}

export type CommentKind = "everyday" | "crisis" | "angry";

export function ratingComment(random: Random, score: string, kind: CommentKind): string {
  if (score === "good") return random.pick(praise);
  if (score === "neutral") return random.pick(shrugs);
  return random.pick(kind === "crisis" ? crisisComments : kind === "angry" ? angryComments : complaints);
}

export function reopeningText(random: Random): string {
  return random.pick(reopenings);
}
