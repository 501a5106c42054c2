import { plainRoute } from "#app/api/handler.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
const methods: readonly Method[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/** `refuses` tells it from a route that serves. */
type Refusing = ReturnType<typeof plainRoute> & { refuses: true };

/**
 * What an address answers to the methods that it does not serve: 405 in the API's own form, where the framework's is an
 * empty one. `export const { PUT, PATCH, DELETE } = otherMethodsThan("GET", "POST");`
 */
export function otherMethodsThan<Served extends Method>(
  ...served: Served[]
): Record<Exclude<Method, Served>, Refusing> {
  const allow = served.join(", ");
  const answer = plainRoute("wrong method", async (request) => {
    const { pathname } = new URL(request.url);
    const message = `${request.method} is not answered at ${pathname.slice(0, 200)}, which takes ${allow}.`;
    return Response.json({ error: { code: "not_found", message } }, { status: 405, headers: { allow } });
  });
  const refuse: Refusing = Object.assign(answer, { refuses: true as const });
  const others = methods.filter((method) => !(served as Method[]).includes(method));
  return Object.fromEntries(others.map((method) => [method, refuse])) as Record<Exclude<Method, Served>, Refusing>;
}
