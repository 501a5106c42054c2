import { plainRoute } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { redirectUri, requireAdministrator, toScreen } from "#app/api/v1/connections/oauth/browser.ts";
import { finishAuthorization, goalOfAuthorization } from "#lib/connections/authorize.ts";
import { ConfirmationNeeded } from "#lib/connections/same-account.ts";
import { AppError } from "#lib/errors.ts";
import { nudge, processWorker } from "#lib/jobs/process.ts";
import { nudgeWebhooks } from "#lib/jobs/webhooks.ts";

/**
 * Zendesk sends the browser back here. The connections screen says how it went: `?connected=<id>`, or `?connect=<why not>`
 * with the `connectionId` of one that is there; with `for=writing` where that one was to get the right to write.
 */
export const GET = plainRoute("oauth callback", async (request, call) => {
  const person = await requireAdministrator(request, call);
  const { searchParams } = new URL(request.url);
  const answer = {
    state: searchParams.get("state"),
    code: searchParams.get("code"),
    error: searchParams.get("error"),
  };
  const goal = await goalOfAuthorization(call.context, person.workspaceId, answer);
  const how = (result: Record<string, string>) =>
    toScreen(`/connections?${new URLSearchParams({ ...result, ...(goal?.isForWriting && { for: "writing" }) })}`);
  const whyNot = (reason: string) => how({ connect: reason, ...(goal && { connectionId: String(goal.connectionId) }) });
  try {
    const scope = await finishAuthorization(call.context, person, answer, redirectUri(request, call), call.now);
    if (!scope) return whyNot(answer.error === "access_denied" ? "denied" : "refused");
    processWorker(call.context).dismiss(scope);
    nudge(call.context);
    nudgeWebhooks(call.context);
    return how({ connected: String(scope.connectionId) });
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "forbidden") throw error;
    call.context.log.warn({ err: error }, "a sign-in at Zendesk made no connection");
    return whyNot(error instanceof ConfirmationNeeded ? "confirm_login" : reasonOf(error));
  }
});

/** The name of what went wrong at Zendesk, where it is known; the screen has the words. */
function reasonOf(error: AppError): string {
  const { cause } = error;
  const isNamed = cause instanceof Error && "code" in cause && typeof cause.code === "string";
  return isNamed ? String((cause as Error & { code: string }).code) : error.code;
}

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
