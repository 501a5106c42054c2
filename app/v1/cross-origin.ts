/*
 * Browser SDKs call from the pages of other sites. What is asked here is told by a write key that the caller holds, never by
 * a cookie: any site may ask, and none is given anything that it does not have.
 */

/** The answer with what a browser must see before it shows it to the page. */
export function openToBrowsers(answer: Response): Response {
  answer.headers.set("access-control-allow-origin", "*");
  return answer;
}

/** What a browser asks before it sends a call with headers of its own. */
export function answerPreflight(request: Request): Response {
  const asked = request.headers.get("access-control-request-headers") ?? "";
  const headers = /^[\w\-, ]{1,500}$/.test(asked) ? asked : "authorization, content-type, content-encoding";
  return openToBrowsers(
    new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-methods": "POST, OPTIONS",
        "access-control-allow-headers": headers,
        "access-control-max-age": "86400",
        vary: "Access-Control-Request-Headers",
      },
    }),
  );
}
