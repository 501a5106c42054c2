import { describe, expect, onTestFinished, test, vi } from "vitest";
import { zendeskZone, zendeskZones } from "#lib/destinations/procedures/time-zones.ts";
import { timeZones } from "#test/support/zendesk/world/time-zones.ts";
import { destination } from "./ground.ts";

const everyZone = Intl.supportedValuesOf("timeZone");
const wasSent = (given: string) => {
  const found = zendeskZone(given);
  return "zone" in found ? found.zone : null;
};

/** What the clock of a zone shows at noon in Greenwich, on each day of a year. */
function clockOf(zone: string): string {
  const format = new Intl.DateTimeFormat("en", { timeZone: zone, day: "numeric", hour: "numeric", minute: "numeric" });
  return Array.from({ length: 365 }, (_, day) => format.format(Date.UTC(2027, 0, 1 + day, 12))).join();
}

/** Half hours of their own, summers of their own, and islands alone at their hour: no name of Zendesk's shows their time. */
const alone = [
  ...["America/Adak", "America/Miquelon", "Antarctica/Troll", "Asia/Gaza", "Asia/Hebron", "Australia/Eucla"],
  ...["Australia/Lord_Howe", "Pacific/Easter", "Pacific/Gambier", "Pacific/Kiritimati", "Pacific/Marquesas"],
  ...["Pacific/Norfolk", "Pacific/Pitcairn"],
];

describe("the name that is sent for a time zone (C-17, X-13)", () => {
  test("is of a clock that shows the same on every day, for all but a few zones, which are told", () => {
    expect(everyZone.filter((zone) => wasSent(zone) === null)).toEqual(alone);
    const clocks = new Map([...timeZones].map(([name, iana]) => [name, clockOf(iana)]));
    const named = everyZone.filter((zone) => !alone.includes(zone));
    expect(named.filter((zone) => clocks.get(wasSent(zone) ?? "") !== clockOf(zone))).toEqual([]);
    expect(zendeskZone("Australia/Eucla")).toEqual({
      refused: "Zendesk has no name for the time zone Australia/Eucla, nor for one with the same clock",
    });
  });

  test.each([
    ["America/Toronto", "Eastern Time (US & Canada)"],
    ["America/Havana", "Eastern Time (US & Canada)"],
    ["America/Winnipeg", "Central Time (US & Canada)"],
    ["America/Edmonton", "Mountain Time (US & Canada)"],
    ["America/Costa_Rica", "Central America"],
    ["America/Cordoba", "Buenos Aires"],
    ["Europe/Oslo", "Berlin"],
    ["Europe/Jersey", "London"],
    ["Africa/Lagos", "West Central Africa"],
    ["Africa/Accra", "Monrovia"],
    ["Africa/Tripoli", "Harare"],
    ["Asia/Manila", "Singapore"],
    ["Asia/Saigon", "Bangkok"],
    ["Asia/Beirut", "Athens"],
    ["Asia/Pyongyang", "Seoul"],
    ["Atlantic/Bermuda", "Atlantic Time (Canada)"],
  ])("is for %s, which Zendesk does not know, that of its neighbours, and a note says so", (given, zone) => {
    const note = `Zendesk has no name for ${given}: “${zone}” was taken, where the clock shows the same all year`;
    expect(zendeskZone(given)).toEqual({ zone, note });
  });

  test("is told without a note where it is the zone's own, by whichever of its names it was given", () => {
    expect(zendeskZone("Europe/Berlin")).toEqual({ zone: "Berlin" });
    expect(zendeskZone("us/eastern")).toEqual({ zone: "Eastern Time (US & Canada)" });
    expect([wasSent("Asia/Calcutta"), wasSent("Asia/Kolkata"), wasSent("Europe/Kyiv")]).toEqual([
      ...["Kolkata", "Kolkata", "Kyiv"],
    ]);
    for (const name of timeZones.keys()) expect(zendeskZone(name)).toEqual({ zone: name });
  });

  test.each([["America/Springfield"], ["nowhere"], ["+01:00"], [""], ["x".repeat(1000)], ["constructor"]])(
    "is none for %s",
    (given) => expect(zendeskZone(given)).toEqual({ refused: `“${given}” is no time zone` }),
  );

  test("is looked for once for each text, however many events give it", () => {
    const given = ["Asia/Tokyo", "America/Detroit", "Australia/Eucla", "Europe/Atlantis"];
    const first = given.map(zendeskZone);
    const formats = vi.spyOn(Intl, "DateTimeFormat");
    onTestFinished(() => formats.mockRestore());
    expect(given.map(zendeskZone)).toEqual(first);
    expect(formats).not.toHaveBeenCalled();
  });
});

test("Zendesk takes every name that is sent, and shows the zone that was meant", async () => {
  const { world, run } = await destination();
  const names = Object.keys(zendeskZones);
  expect(names.toSorted()).toEqual([...timeZones.keys()].toSorted());
  for (const [index, name] of names.entries()) {
    const fields = { email: `u${index}@zones.example`, name: `User ${index}`, time_zone: name };
    expect([name, await run("upsert_user", fields)]).toMatchObject([name, { state: "done" }]);
  }
  const users = [...world.users.byId.values()].filter(({ email }) => email?.endsWith("@zones.example"));
  expect(users.map(({ timeZone }) => timeZone)).toEqual(names);
});
