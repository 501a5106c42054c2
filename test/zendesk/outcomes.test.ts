import { describe, expect, it } from "vitest";
import { baseUrl, checkSubdomain, isPrivateAddress, normalizeSubdomain, publicLookup } from "#lib/zendesk/address.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import { parseHttpDate } from "#lib/zendesk/http-date.ts";
import { outcomeOf, wordsFor } from "#lib/zendesk/outcomes.ts";
import { backoff, parseRetryAfter } from "#lib/zendesk/retry-after.ts";
import { hostileSubdomains } from "#test/support/hostile-subdomains.ts";

describe("the table of statuses", () => {
  it("knows an outcome and words for every status there is", () => {
    for (let status = 100; status < 1000; status++) {
      expect(outcomeOf(status) === "accept").toBe(status >= 200 && status < 300);
      expect(wordsFor(status).says).not.toBe("");
    }
  });

  it("tries again what passes, waits where told, and never goes on", () => {
    for (const status of [409, 500, 502, 503, 504, 520, 524, 599, 799]) expect(outcomeOf(status)).toBe("retry");
    expect(outcomeOf(429)).toBe("wait");
    expect(outcomeOf(503, true)).toBe("wait");
    expect(outcomeOf(401)).toBe("renew");
    expect(outcomeOf(413)).toBe("shrink");
    for (const status of [301, 302, 307, 308, 402]) expect(outcomeOf(status)).toBe("stop_connection");
    for (const status of [400, 403, 404, 410, 418, 422, 451]) expect(outcomeOf(status)).toBe("stop_stream");
  });
});

describe("an HTTP date", () => {
  it("is UTC in every form, wherever this process is", () => {
    const zone = process.env.TZ;
    try {
      for (const here of ["UTC", "Asia/Kolkata", "America/Los_Angeles"]) {
        process.env.TZ = here;
        for (const text of [
          "Mon, 02 Mar 2026 09:00:00 GMT",
          "Monday, 02-Mar-26 09:00:00 GMT",
          "Mon Mar  2 09:00:00 2026",
          "Mon, 02 Mar 2026 09:00:00",
          "Monday, 02-Mar-26 09:00:00",
          "Mon, 02 Mar 2026 10:00:00 +0100",
        ])
          expect(parseHttpDate(text), `${text} in ${here}`).toBe(Date.UTC(2026, 2, 2, 9));
      }
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });
});

describe("Retry-After", () => {
  const now = new Date("2026-03-02T09:00:00Z");

  it.each([
    ["3", 3000],
    ["120", 120_000],
    ["2.5", 3000],
    ["1", 1000],
    ["2592000", 900_000],
    [new Date(now.getTime() + 90_000).toUTCString(), 90_000],
  ])("%s is %i ms", (header, expected) => expect(parseRetryAfter(header, now)).toBe(expected));

  it.each([undefined, "", "0", "-5", "soon", "NaN", "1e9x", new Date(now.getTime() - 90_000).toUTCString()])(
    "%s says nothing",
    (header) => expect(parseRetryAfter(header, now)).toBeNull(),
  );

  it("falls back to exponential waits between one second and fifteen minutes", () => {
    expect([1, 2, 3, 4].map((attempt) => backoff(attempt, 0))).toEqual([1000, 2000, 4000, 8000]);
    for (let attempt = 1; attempt < 5000; attempt += 7) {
      expect(backoff(attempt, 0.999)).toBeGreaterThanOrEqual(1000);
      expect(backoff(attempt, 0.999)).toBeLessThanOrEqual(900_000);
    }
  });
});

describe("the subdomain", () => {
  it("is a plain host label, whatever is typed", () => {
    expect(normalizeSubdomain(" Acme ")).toBe("acme");
    expect(normalizeSubdomain("https://acme.zendesk.com/agent/x?y#z")).toBe("acme");
    expect(normalizeSubdomain("a-b-1.zendesk.com")).toBe("a-b-1");
    expect(baseUrl("https://{subdomain}.zendesk.com", "acme")).toBe("https://acme.zendesk.com");
  });

  it.each(hostileSubdomains)("never is %j", (text) => {
    expect(() => checkSubdomain(normalizeSubdomain(text))).toThrow(ZendeskError);
  });
});

describe("private addresses", () => {
  it.each([
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "2002:7f00:1::",
    "ff02::1",
    "nonsense",
  ])("refuses %s", (address) => expect(isPrivateAddress(address)).toBe(true));

  it.each(["104.16.51.111", "172.15.0.1", "172.32.0.1", "8.8.8.8", "2606:4700::6810:336f"])("allows %s", (address) =>
    expect(isPrivateAddress(address)).toBe(false),
  );

  it("refuses a host when any of its addresses is private", async () => {
    const look = (addresses: string[]) =>
      new Promise((resolve) => {
        const answer = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
        const lookup = publicLookup((_host, done) => done(null, answer));
        lookup("acme.zendesk.com", { all: true }, (error, found) => resolve(error ?? found));
      });
    expect(await look(["104.16.51.111", "127.0.0.1"])).toMatchObject({ code: "EPRIVATE" });
    expect(await look(["104.16.51.111"])).toEqual([{ address: "104.16.51.111", family: 4 }]);
    expect(await look([])).toBeInstanceOf(Error);
  });
});
