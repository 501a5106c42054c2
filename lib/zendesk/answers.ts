import { concealValues } from "#lib/log.ts";
import { type FailureCode, type FieldWords, ZendeskError } from "#lib/zendesk/failures.ts";
import { parseJson } from "#lib/zendesk/json.ts";
import { outcomeOf, wordsFor } from "#lib/zendesk/outcomes.ts";
import { cleanText } from "#lib/zendesk/text.ts";
import type { HttpAnswer } from "#lib/zendesk/transport.ts";

/** A whole, well-formed answer of Zendesk's. */
export interface Answer {
  body: Record<string, unknown>;
  /** The body as it came. */
  text: string;
  /** A 2xx of a whole answer: 200, 201 or 202. */
  status: number;
  /** Zendesk's own clock when the request was sent, never later than it was: what was visible then is in the answer (rows 13, 47). */
  requestedAt: Date;
  /** Zendesk's clock as this very answer shows it; ours where it shows none. */
  date: Date;
  /** The latest that Zendesk's clock can have been then, by all that it has told: what bears a later version is not to be believed. */
  latest: Date;
  /** The database's clock then, which all processes share: of two answers with the same version of a row, the one asked for later holds (row 19). */
  fetchedAt: Date;
}

/** Something answered with success that is not what was asked for. */
export class WrongAnswer extends Error {
  override readonly name = "WrongAnswer";
  readonly html: boolean;

  constructor(message: string, html: boolean) {
    super(message);
    this.html = html;
  }
}

/** Reads a 2xx: JSON by its content type, whole, an object, telling of no error, holding the key that the endpoint is for (rows 67, 69). */
export function readAnswer(answer: HttpAnswer, expect?: string): Pick<Answer, "body" | "text" | "status"> {
  if (answer.status === 206) throw new WrongAnswer("a part, and the whole was asked for", false);
  const type = String(answer.headers["content-type"] ?? "");
  const text = answer.body.toString("utf8");
  if (!/\bjson\b/i.test(type)) throw new WrongAnswer(`not JSON but ${type || "no content type"}`, isHtml(answer));
  const body = parseOrNull(text);
  if (!isObject(body)) throw new WrongAnswer("no complete JSON object", false);
  if ((typeof body.error === "string" && body.error !== "") || isObject(body.error))
    throw new WrongAnswer(`an "error" in the answer`, false);
  if (expect !== undefined && !Object.hasOwn(body, expect))
    throw new WrongAnswer(`no "${expect}" in the answer`, false);
  return { body, text, status: answer.status };
}

export function isHtml(answer: HttpAnswer): boolean {
  return (
    /html/i.test(String(answer.headers["content-type"] ?? "")) || /^\s*</.test(answer.body.toString("latin1", 0, 64))
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The body as JSON, or null where it is none. */
export function parseBody(answer: HttpAnswer): unknown {
  return parseOrNull(answer.body.toString("utf8"));
}

function parseOrNull(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}

/** The failure that a status other than 2xx stands for, with Zendesk's own words in it. */
export function failureOf(answer: HttpAnswer, path: string): ZendeskError {
  const said = zendeskWords(answer);
  if (answer.status === 404 && isHtml(answer)) return unknownAccount(path);
  if (answer.status === 403 && /required scopes?/i.test(said)) return missingScope(path, said);
  const { code, says, action, about } = wordsFor(answer.status);
  return new ZendeskError({
    code,
    message: `${says} (${answer.status} for ${path}${said && `: ${said}`}).${pointsTo(answer)}`,
    action,
    scope: outcomeOf(answer.status) === "stop_connection" || answer.status === 401 ? "connection" : "stream",
    ...(about ? { about } : {}),
    transient: code === "unavailable",
    status: answer.status,
    said,
    details: fieldWords(answer),
    zendeskRequestId: requestIdOf(answer),
  });
}

/** The `details` of a 422: for each field, or `base`, why it is refused. */
function fieldWords(answer: HttpAnswer): FieldWords[] {
  const body = parseBody(answer);
  if (!isObject(body) || !isObject(body.details)) return [];
  return Object.entries(body.details).flatMap(([field, said]) =>
    (Array.isArray(said) ? said : [said]).slice(0, 20).map((one) => ({
      field: cleanText(field, 100),
      description: cleanText(concealValues(String(isObject(one) ? (one.description ?? "") : one)), 300),
      error: isObject(one) && typeof one.error === "string" ? cleanText(one.error, 100) : "",
    })),
  );
}

function requestIdOf({ headers }: HttpAnswer): string | undefined {
  const id = headers["x-request-id"] ?? headers["x-zendesk-request-id"];
  return typeof id === "string" ? cleanText(id, 100) : undefined;
}

/** Of a redirect, the host and nothing else: the rest of the address is not for people, and is not followed (row 65). */
function pointsTo(answer: HttpAnswer): string {
  const location = String(answer.headers.location ?? "");
  if (answer.status < 300 || answer.status >= 400 || !URL.canParse(location)) return "";
  return ` It points to ${cleanText(new URL(location).host, 253)}.`;
}

function unknownAccount(path: string): ZendeskError {
  return new ZendeskError({
    code: "unknown_subdomain",
    message: `No Zendesk account answers at this subdomain (404 for ${path}).`,
    action: "Check the subdomain; if the account was suspended or cancelled, reactivate it.",
    scope: "connection",
    about: "subdomain",
    transient: true,
    status: 404,
  });
}

function missingScope(path: string, said: string): ZendeskError {
  return new ZendeskError({
    code: "missing_scope",
    message: `The credentials may not read ${path}: ${said}.`,
    action: 'Give the OAuth client the scope "read" (or the one named), then reconnect.',
    scope: "stream",
    about: "auth",
    status: 403,
    said,
  });
}

export function wrongAnswer(path: string, wrong: { message: string; html: boolean }): ZendeskError {
  const code: FailureCode = wrong.html ? "not_zendesk" : "protocol";
  return new ZendeskError({
    code,
    message: wrong.html
      ? `What answers at this address is a web page, not Zendesk's API (${path}).`
      : `Zendesk's answer for ${path} cannot be used: ${wrong.message}.`,
    action: wrong.html
      ? "Check the subdomain, and that the account is active and not behind a maintenance page."
      : "Nothing to do: reading resumes with the next run. If it lasts, report it.",
    scope: wrong.html ? "connection" : "stream",
    ...(wrong.html ? { about: "subdomain" as const } : {}),
    transient: true,
  });
}

/** What Zendesk says about an error, in whichever of its envelopes, or the beginning of a plain text; "" for HTML. */
export function zendeskWords(answer: HttpAnswer): string {
  if (isHtml(answer)) return "";
  const text = answer.body.toString("utf8");
  const body = parseOrNull(text);
  const words = isObject(body) ? envelopeWords(body) : [text];
  const said = words.filter((word) => typeof word === "string" && word.trim() !== "").join(" – ");
  // Some servers say the request back, its credentials too; they go before anything is cut off.
  return cleanText(concealValues(said).trim(), 300);
}

function envelopeWords(body: Record<string, unknown>): unknown[] {
  const first: unknown = Array.isArray(body.errors) ? body.errors[0] : undefined;
  if (isObject(first)) return [first.code, first.title, first.detail];
  if (isObject(body.error)) return [body.error.title, body.error.message];
  return [body.error, body.description ?? body.error_description ?? body.message];
}
