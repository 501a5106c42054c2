import { everyday, type Mood } from "./ticket-life.ts";

/** What happens to one customer. Days count from the day that the company was looked at first; before it is negative. */
export interface Story {
  account: string;
  /** What a person should find. */
  moral: string;
  /** The organization is founded on that day; absent: it was there from the start. */
  begins?: number;
  people: number;
  /** Expected tickets of one working day. */
  tickets: (day: number) => number;
  mood: (day: number) => Mood;
  /** All tickets of these days come from one person. */
  loner?: boolean;
}

const calm: Mood = { ...everyday, rated: 0.4, good: 0.93 };

const crisis: Mood = {
  ...everyday,
  priorities: [
    ["urgent", 45],
    ["high", 30],
    ["normal", 20],
    [null, 5],
  ],
  subjects: "crisis",
  comments: "crisis",
  reopened: 0.35,
  rated: 0.6,
  good: 0.15,
  neutral: 0.1,
  hoursToSolve: 60,
  stuck: 0.2,
};

const learning: Mood = {
  ...everyday,
  priorities: [
    ["high", 6],
    ["normal", 60],
    ["low", 30],
    [null, 4],
  ],
  subjects: "onboarding",
  rated: 0.5,
  good: 0.95,
  hoursToSolve: 8,
};

const angry: Mood = { ...everyday, comments: "angry", rated: 0.8, good: 0.05, neutral: 0, reopened: 0.25 };

export const stories: readonly Story[] = [
  {
    account: "Brackenmoor Freight",
    moral: "Going wrong: urgent tickets, reopenings and bad ratings have been rising for five weeks.",
    people: 9,
    tickets: (day) => (day < -35 ? 0.45 : 0.45 + ((Math.min(day, 0) + 35) / 35) * 3.2),
    mood: (day) => (day < -35 ? calm : crisis),
  },
  {
    account: "Hazelholm Clinics",
    moral: "Saved: as bad as it gets three to five months ago, and well since.",
    people: 8,
    tickets: (day) => (day < -150 ? 0.5 : day < -90 ? 2.6 : 0.6),
    mood: (day) => (day >= -150 && day < -90 ? crisis : calm),
  },
  {
    account: "Wrenfold Hotels",
    moral: "Gone silent: wrote every week for two years, nothing for seventy days.",
    people: 5,
    tickets: (day) => (day < -70 ? 0.55 : 0),
    mood: () => calm,
  },
  {
    account: "Junipergate Couriers",
    moral: "Onboarding: a customer for six weeks, many questions at first, fewer now, content.",
    begins: -45,
    people: 6,
    tickets: (day) => (day < -45 ? 0 : Math.max(0.4, 2.4 - (day + 45) * 0.05)),
    mood: (day) => (day < 0 ? learning : calm),
  },
  {
    account: "Sorrelmere Bakeries",
    moral: "One angry person: nearly every bad rating comes from the same user.",
    people: 7,
    tickets: () => 0.6,
    mood: () => ({ ...calm, good: 1, neutral: 0 }),
  },
  {
    account: "Sorrelmere Bakeries",
    moral: "The angry person.",
    people: 1,
    tickets: (day) => (day < -120 ? 0 : 0.35),
    mood: () => angry,
    loner: true,
  },
];
