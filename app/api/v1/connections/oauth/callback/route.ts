import { plainRoute } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { redirectUri, requireAdministrator, toScreen } from "#app/api/v1/connections/oauth/browser.ts";
import { finishAuthorization } from "#lib/connections/authorize.ts";
import { ConfirmationNeeded } from "#lib/connections/same-account.ts";
import { AppError } from "#lib/errors.ts";
import { nudge, processWorker } from "#lib/jobs/process.ts";
import { nudgeWebhooks } from "#lib/jobs/webhooks.ts";

/** Zendesk sends the browser back here. The connections screen says how it went: `?connected=<id>`, or `?connect=<why not>`. */
export const GET = plainRoute("oauth callback", async (request, call) => {
  const person = await requireAdministrator(request, call);
  const { searchParams } = new URL(request.url);
  const answer = {
    state: searchParams.get("state"),
    code: searchParams.get("code"),
    error: searchParams.get("error"),
  };
  try {
    const scope = await finishAuthorization(call.context, person, answer, redirectUri(request, call), call.now);
    if (!scope) return toScreen(`/connections?connect=${answer.error === "access_denied" ? "denied" : "refused"}`);
    processWorker(call.context).dismiss(scope);
    nudge(call.context);
    nudgeWebhooks(call.context);
    return toScreen(`/connections?connected=${scope.connectionId}`);
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "forbidden") throw error;
    call.context.log.warn({ err: error }, "a sign-in at Zendesk made no connection");
    if (error instanceof ConfirmationNeeded) {
      return toScreen(`/connections?connect=confirm_login&connectionId=${error.connectionId}`);
    }
    return toScreen(`/connections?connect=${reasonOf(error)}`);
  }
});

/** The name of what went wrong at Zendesk, where it is known; the screen has the words. */
function reasonOf(error: AppError): string {
  const { cause } = error;
  const isNamed = cause instanceof Error && "code" in cause && typeof cause.code === "string";
  return encodeURIComponent(isNamed ? String((cause as Error & { code: string }).code) : error.code);
}

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
