import { expect, test } from "vitest";
import { differences } from "#lib/destinations/echo.ts";

test.each(["constructor", "toString", "__proto__"])(
  "a field named %s that Zendesk does not have was passed over; nothing that every object knows is its value (row 97)",
  (key) => {
    const sent = { user: { user_fields: JSON.parse(`{"${key}":"pro"}`) } };
    const answered = (fields: string) => ({ user: { id: 7, user_fields: JSON.parse(fields) } });
    expect(differences("PUT", "/api/v2/users/7", sent, answered("{}"))).toEqual([
      { field: `user_fields.${key}`, sent: "pro", answered: undefined },
    ]);
    expect(differences("PUT", "/api/v2/users/7", sent, answered(`{"${key}":"pro"}`))).toEqual([]);
  },
);
