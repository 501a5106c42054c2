import { fieldRow } from "../wire/definitions.ts";
import type { FieldDefinition } from "../world/rows.ts";
import { ok, recordNotFound } from "./answer.ts";
import { Complaints, difference, type Given, isGiven, objectIn, pick, textOf } from "./given.ts";
import type { Call, Route } from "./routes.ts";

type Owner = "user" | "organization";

const types = [
  "text",
  "textarea",
  "checkbox",
  "date",
  "integer",
  "decimal",
  "regexp",
  "dropdown",
  "multiselect",
  "lookup",
];

/** Defining fields of users and organizations (zendesk-api sections 6.4 and 8.2). */
export const fieldRoutes: Route[] = (["user", "organization"] as const).flatMap((owner): Route[] => {
  const path = `/${owner}_fields`;
  const key = `${owner}_field`;
  const demands = { scope: "account_settings", admin: true, write: true };
  return [
    {
      method: "POST",
      path,
      demands,
      answer: (call) => {
        const field = createField(call, owner, objectIn(call, key));
        return { status: 201, json: { [key]: row(call, owner, field) } };
      },
    },
    {
      method: "GET",
      path: `${path}/{id}`,
      demands: { scope: "account_settings" },
      answer: (call) => ok({ [key]: row(call, owner, existing(call, owner)) }),
    },
    {
      method: "PUT",
      path: `${path}/{id}`,
      demands,
      answer: (call) => {
        const field = existing(call, owner);
        const before = row(call, owner, field);
        const { title, description, active } = objectIn(call, key);
        call.request.world.definitions.updateField(owner, field.id, {
          ...(typeof title === "string" && { title }),
          ...(typeof description === "string" && { description }),
          ...(typeof active === "boolean" && { active }),
        });
        const values = difference(before, row(call, owner, field));
        if (Object.keys(values).length > 0) call.note(`${owner}_field.updated`, field.id, values);
        return ok({ [key]: row(call, owner, field) });
      },
    },
    {
      method: "DELETE",
      path: `${path}/{id}`,
      demands,
      answer: (call) => {
        const field = existing(call, owner);
        call.request.world.definitions.deleteField(owner, field.id);
        call.note(`${owner}_field.deleted`, field.id, { key: field.key });
        return { status: 204 };
      },
    },
  ];
});

function createField(call: Call, owner: Owner, given: Given): FieldDefinition {
  const { definitions, ids } = call.request.world;
  const key = textOf(given.key) ?? "";
  const title = textOf(given.title);
  const type = textOf(given.type) ?? "";
  const options = optionsIn(given.custom_field_options);
  const complaints = new Complaints();
  const isTaken = [...definitions.fields[owner].values()].some(
    (field) => field.key.toLowerCase() === key.toLowerCase(),
  );
  if (!/^\w+$/.test(key) || /^\d+$/.test(key)) {
    complaints.add(
      "key",
      `Key: ${key} can contain only letters, digits and underscores, and not only digits`,
      "InvalidValue",
    );
  } else if (isTaken || definitions.formerKeys[owner].has(key)) {
    complaints.add("key", `Key: ${key} has already been taken`, "DuplicateValue");
  }
  if (title == null) complaints.add("title", "Title: cannot be blank", "BlankValue");
  if (!types.includes(type)) complaints.add("type", `Type: ${type} is not valid`, "InvalidValue");
  if ((type === "dropdown" || type === "multiselect") && options.length === 0) {
    complaints.add("custom_field_options", "Options: cannot be blank", "BlankValue");
  }
  complaints.raise();
  const field = definitions.createField(owner, {
    key,
    type,
    title: title ?? key,
    description: textOf(given.description) ?? "",
    active: given.active !== false,
    options: options.map((option) => ({ id: ids.next(), ...option })),
  });
  call.note(
    `${owner}_field.created`,
    field.id,
    pick(row(call, owner, field), ["key", "type", "title", ...Object.keys(given)]),
  );
  return field;
}

function optionsIn(given: unknown): { name: string; value: string }[] {
  const list = Array.isArray(given) ? given.filter(isGiven) : [];
  return list.map(({ name, value }) => ({ name: String(name), value: String(value) }));
}

function existing(call: Call, owner: Owner): FieldDefinition {
  const field = call.request.world.definitions.fields[owner].get(call.params.id ?? "");
  if (field === undefined) throw recordNotFound();
  return field;
}

function row({ request }: Call, owner: Owner, field: FieldDefinition): Given {
  const position = [...request.world.definitions.fields[owner].keys()].indexOf(field.id);
  return fieldRow(request.world, request.base, owner, field, position);
}
