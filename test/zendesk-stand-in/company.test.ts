import { describe, expect, it } from "vitest";
import { demoMatchKeys, owners } from "#test/support/zendesk/company/accounts.ts";
import { foundCompany } from "#test/support/zendesk/company/company.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { DAY, fixedClock, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";

const foundedAt = "2026-03-02T09:00:00Z";
const small = { tickets: 4000, accounts: 60, days: 400 };
const company = foundCompany({ clock: fixedClock(foundedAt), ...small });
const rows = truth(company.world);
const now = company.world.now();

/** Tickets and answers of one customer, `from` to `to` days ago. */
function past(name: string, from: number, to: number) {
  const organization = rows.organizations.find((row) => row.name === name);
  const tickets = rows.tickets.filter((row) => row.organizationId === organization?.id && !row.deleted);
  const ids = new Set(tickets.map((row) => row.id));
  const within = (at: string) => Date.parse(at) <= now - to * DAY && Date.parse(at) > now - from * DAY;
  const answers = rows.answers.filter((row) => ids.has(row.ticketId) && within(row.at));
  return {
    created: tickets.filter((row) => within(row.createdAt)),
    bad: answers.filter((row) => row.score === "bad"),
    good: answers.filter((row) => row.score === "good"),
    requesters: new Map(tickets.map((row) => [row.id, row.requesterId])),
  };
}

describe("the company", () => {
  it("is the same for the same seed and founding day, however its time is gone through", () => {
    const later = new Date(Date.parse(foundedAt) + 3 * DAY);
    const again = foundCompany({ clock: fixedClock(later), foundedAt, ...small });
    const stepwise = foundCompany({ clock: fixedClock(foundedAt), ...small });
    for (let hour = 0; hour < 72; hour++) {
      stepwise.world.advance(HOUR);
      stepwise.world.access.issueToken(
        { identifier: "x", secret: "x", redirectUris: [] },
        { scopes: [], refreshable: true },
      );
    }
    expect(truth(stepwise.world)).toEqual(truth(again.world));
    expect(stepwise.accounts).toEqual(again.accounts);
  });

  it("goes on by itself as time passes", () => {
    const living = foundCompany({ clock: fixedClock(foundedAt), tickets: 500, accounts: 20, days: 60 });
    const before = truth(living.world);
    living.world.advance(7 * DAY);
    const after = truth(living.world);
    expect(after.tickets.length).toBeGreaterThan(before.tickets.length);
    expect(after.transitions.length).toBeGreaterThan(before.transitions.length);
  });

  it("is lively for whoever watches: an event every two minutes at the latest, and after a day the numbers are about the same", () => {
    const options = { foundedAt, ...small, lively: true };
    const lively = foundCompany({ clock: fixedClock(foundedAt), ...options });
    const open = () => truth(lively.world).tickets.filter(({ status }) => status === "open" || status === "new").length;
    const size = () => lively.world.tickets.byId.size;
    const before = { open: open(), size: size() };
    const quiet = foundCompany({ clock: fixedClock(foundedAt), foundedAt, ...small });
    let events = lively.world.tickets.audits.all().length;
    for (let minute = 0; minute < 60; minute += 2) {
      lively.world.advance(2 * MINUTE);
      const now = lively.world.tickets.audits.all().length;
      expect(now).toBeGreaterThan(events);
      events = now;
    }
    lively.world.advance(23 * HOUR);
    quiet.world.advance(DAY);
    const usual = quiet.world.tickets.byId.size - before.size;
    expect(size() - before.size).toBeLessThan(usual + 100);
    expect(Math.abs(open() - before.open)).toBeLessThan(60);
    const again = foundCompany({ clock: fixedClock(new Date(Date.parse(foundedAt) + DAY)), ...options });
    expect(truth(again.world)).toEqual(truth(lively.world));
  });

  it("has about as many tickets as asked for, with every priority, null included", () => {
    expect(Math.abs(rows.tickets.length - small.tickets)).toBeLessThan(small.tickets * 0.15);
    expect(new Set(rows.tickets.map((row) => row.priority))).toEqual(
      new Set(["urgent", "high", "normal", "low", null]),
    );
  });

  it("rests on weekends", () => {
    const weekday = (at: string) => new Date(at).getUTCDay();
    const on = (...days: number[]) => rows.tickets.filter((row) => days.includes(weekday(row.createdAt))).length;
    expect(on(0, 6)).toBeLessThan(on(1));
  });

  it("gives accounts text attributes, an owner of the team and an external id of their own", () => {
    expect(company.accounts).toHaveLength(60);
    expect(new Set(company.accounts.map((row) => row.externalId)).size).toBe(60);
    for (const { ownerEmail, attributes } of company.accounts) {
      expect(owners.map((owner) => owner.email)).toContain(ownerEmail);
      for (const value of Object.values(attributes)) expect(typeof value).toBe("string");
    }
  });

  it("has organizations for every match key, for two accounts at once, and for none", () => {
    expect(demoMatchKeys).toHaveLength(3);
    const accountIds = new Set(company.accounts.map((row) => row.externalId));
    const accountsOf = (domain: string) => company.accounts.filter((row) => row.attributes.domain === domain).length;
    const counts = { externalId: 0, field: 0, domain: 0, ambiguous: 0, none: 0 };
    for (const { externalId, fields, domainNames } of rows.organizations) {
      const meets = Math.max(0, ...domainNames.map(accountsOf));
      if (externalId !== null && accountIds.has(externalId)) counts.externalId += 1;
      else if (accountIds.has(String(fields.crm_id))) counts.field += 1;
      else if (meets > 1) counts.ambiguous += 1;
      else if (meets === 1) counts.domain += 1;
      else counts.none += 1;
    }
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
    expect(rows.goneOrganizations.length).toBeGreaterThan(0);
  });

  it("changed from legacy ratings to surveys", () => {
    expect(new Set(rows.answers.map((row) => row.system))).toEqual(new Set(["legacy", "survey"]));
  });
});

describe("the stories", () => {
  it("tell of one account that is going wrong", () => {
    const recent = past("Brackenmoor Freight", 30, 0);
    const before = past("Brackenmoor Freight", 120, 90);
    const urgent = recent.created.filter((row) => row.priority === "urgent");
    expect(recent.created.length).toBeGreaterThan(2 * before.created.length);
    expect(urgent.length).toBeGreaterThan(5);
    expect(recent.bad.length).toBeGreaterThan(recent.good.length);
    expect(recent.bad.some((row) => row.comment !== null)).toBe(true);
    expect(recent.created.some((row) => row.reopens > 0)).toBe(true);
  });

  it("tell of one that was saved", () => {
    const crisis = past("Hazelholm Clinics", 150, 90);
    const now = past("Hazelholm Clinics", 45, 0);
    expect(crisis.bad.length).toBeGreaterThan(crisis.good.length);
    expect(now.good.length).toBeGreaterThan(now.bad.length);
  });

  it("tell of one that has gone silent, and of one that has just begun", () => {
    expect(past("Wrenfold Hotels", 120, 75).created.length).toBeGreaterThan(5);
    expect(past("Wrenfold Hotels", 69, 0).created).toEqual([]);
    expect(past("Junipergate Couriers", 400, 46).created).toEqual([]);
    expect(past("Junipergate Couriers", 45, 20).created.length).toBeGreaterThan(10);
  });

  it("tell of one angry person among content ones", () => {
    const { bad, requesters } = past("Sorrelmere Bakeries", 110, 0);
    const byPerson = new Map<string | undefined, number>();
    for (const { ticketId } of bad) {
      const person = requesters.get(ticketId);
      byPerson.set(person, (byPerson.get(person) ?? 0) + 1);
    }
    expect(bad.length).toBeGreaterThan(4);
    expect(Math.max(...byPerson.values())).toBeGreaterThan(bad.length * 0.6);
  });
});
