import { isHtml, isObject, parseBody, zendeskWords } from "#lib/zendesk/answers.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import { wordsFor } from "#lib/zendesk/outcomes.ts";
import { type HttpAnswer, TransportError } from "#lib/zendesk/transport.ts";

/**
 * Why a token was not given, as a failure of the connection that names the entry to mend. Quotes what an answer says of an error
 * and nothing else: one that came damaged may hold the token.
 */
export function refused(answer: HttpAnswer | TransportError, base: string): ZendeskError {
  if (answer instanceof TransportError) {
    return new ZendeskError({
      code: "unreachable",
      message: `Zendesk cannot be reached at ${base}: ${answer.message}.`,
      action: "Check the subdomain and this server's way to the internet.",
      scope: "connection",
      about: "subdomain",
      transient: true,
      cause: answer,
    });
  }
  const body = parseBody(answer);
  const error = isObject(body) ? body.error : undefined;
  const said = error === undefined || answer.status < 300 ? "" : zendeskWords(answer);
  const known = typeof error === "string" ? oauthErrors[error] : undefined;
  if (known)
    return new ZendeskError({ ...known, message: `${known.message} (${said}).`, scope: "connection", about: "auth" });
  if (answer.status === 404 || isHtml(answer)) {
    return new ZendeskError({
      code: "unknown_subdomain",
      message: `No Zendesk account answers at ${base} (${answer.status}).`,
      action: "Check the subdomain: it is the first part of your Zendesk address.",
      scope: "connection",
      about: "subdomain",
      transient: answer.status >= 500,
    });
  }
  const { code, says, action, about = "auth" } = wordsFor(answer.status);
  return new ZendeskError({
    code: answer.status < 300 ? "protocol" : code,
    message: `${says} (${answer.status} for a token${said && `: ${said}`}).`,
    action,
    scope: "connection",
    about,
    transient: isPassing(answer),
    status: answer.status,
  });
}

/** What may be otherwise the next time: an overloaded server, or a token that came damaged. */
export function isPassing(answer: HttpAnswer | TransportError): boolean {
  if (answer instanceof TransportError) return true;
  return answer.status < 300 || answer.status === 429 || answer.status >= 500;
}

const oauthErrors: Record<string, Pick<ZendeskError, "code" | "message" | "action">> = {
  invalid_client: {
    code: "credentials_rejected",
    message: "Zendesk rejects the OAuth client",
    action: "Check the client's identifier and secret in Zendesk's Admin Center, and enter both again.",
  },
  unauthorized_client: {
    code: "credentials_rejected",
    message: "This OAuth client may not sign in this way",
    action: "Make the client a confidential one in Zendesk's Admin Center, or use another.",
  },
  invalid_grant: {
    code: "reconnect",
    message: "The authorization is used up or was withdrawn",
    action: "Reconnect this Zendesk; the stored data and the place of reading stay.",
  },
  invalid_scope: {
    code: "missing_scope",
    message: "The OAuth client does not allow the access asked for",
    action: 'Allow the scope "read" (for writing also "write") for this client in Zendesk\'s Admin Center.',
  },
};
