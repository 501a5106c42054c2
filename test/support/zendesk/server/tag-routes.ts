import { type Answer, invalidEndpoint, ok, recordNotFound } from "./answer.ts";
import { bodyOf, type Given, same, tagsOf } from "./given.ts";
import type { Call, Route } from "./routes.ts";
import { livingTicket, setTags } from "./ticket-writes.ts";

/** Something with tags, and how they are written. */
interface Tagged {
  tags: readonly string[];
  write: (given: Given, tags: string[]) => void;
}

/** Tags at addresses of their own: added with PUT, replaced with POST, taken away with DELETE (zendesk-api section 4.1). */
export const tagRoutes: Route[] = [
  ...routesOf("tickets", taggedTicket),
  ...routesOf("organizations", taggedOrganization),
  ...routesOf("users", taggedUser),
];

function routesOf(scope: string, existing: (call: Call) => Tagged): Route[] {
  const path = `/${scope}/{id}/tags`;
  const change = (
    method: Route["method"],
    after: (had: readonly string[], given: string[]) => string[],
    status = 200,
  ) => ({
    method,
    path,
    demands: { scope, write: true },
    answer: (call: Call): Answer => {
      const tagged = existing(call);
      const given = bodyOf(call);
      const tags = after(tagged.tags, tagsOf(given.tags) ?? []);
      tagged.write(given, tags);
      return { status, json: { tags } };
    },
  });
  return [
    { method: "GET", path, demands: { scope }, answer: (call) => ok({ tags: existing(call).tags }) },
    change("PUT", (had, given) => [...new Set([...had, ...given])]),
    change("POST", (_had, given) => given, 201),
    change("DELETE", (had, given) => had.filter((tag) => !given.includes(tag))),
  ];
}

function taggedTicket(call: Call): Tagged {
  const ticket = livingTicket(call.request.world, call.params.id ?? "");
  if (ticket === undefined) throw recordNotFound();
  return { tags: ticket.tags, write: (given, tags) => setTags(call, ticket, given, tags) };
}

function taggedOrganization(call: Call): Tagged {
  const { world } = call.request;
  if (!world.settings.tagsOfPeople) throw invalidEndpoint();
  const organization = world.organizations.byId.get(call.params.id ?? "");
  if (organization === undefined || organization.deletedAt !== null) throw recordNotFound();
  return {
    tags: organization.tags,
    write: (_given, tags) => {
      if (same(organization.tags, tags)) return;
      world.organizations.update(organization.id, { tags });
      call.note("organization.updated", organization.id, { tags });
    },
  };
}

function taggedUser(call: Call): Tagged {
  const { world } = call.request;
  if (!world.settings.tagsOfPeople) throw invalidEndpoint();
  const user = world.users.byId.get(call.params.id ?? "");
  if (user === undefined || !user.active) throw recordNotFound();
  return {
    tags: user.tags,
    write: (_given, tags) => {
      if (same(user.tags, tags)) return;
      world.users.update(user.id, { tags });
      call.note("user.updated", user.id, { tags });
    },
  };
}
