import { expect, test } from "vitest";
import { whose } from "#app/(dashboard)/destinations/events/event-words.ts";
import type { Event } from "#lib/sources/shapes.ts";

const event = (ids: Partial<Event>) =>
  ({ email: null, userId: null, groupId: null, anonymousId: null, ...ids }) as Event;

test("an event is named by its e-mail, and by its user where that is none", () => {
  expect(whose(event({ email: "ann@example.com", userId: "u-1" }))).toBe("ann@example.com");
  expect(whose(event({ email: "not an e-mail", userId: "u-1" }))).toBe("u-1");
  expect(whose(event({ email: "not an e-mail" }))).toBe("not an e-mail");
  expect(whose(event({}))).toBeNull();
});
