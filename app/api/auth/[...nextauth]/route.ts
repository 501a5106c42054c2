import { NextRequest } from "next/server";
import { cappedRequest } from "#app/api/body.ts";
import { plainRoute } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { serveAuth } from "#lib/auth/session.ts";

/** An e-mail address, a password and a token: no form of ours is larger. */
const maxBody = 64 * 1024;

const serve = plainRoute("sign-in", (request, { context, params, now }) => {
  const steps = [params.nextauth ?? []].flat();
  return serveAuth(context, new NextRequest(cappedRequest(request, maxBody)), { nextauth: steps }, now);
});

export { serve as GET, serve as POST };

export const { PUT, PATCH, DELETE } = otherMethodsThan("GET", "POST");
