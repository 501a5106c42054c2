/** What a route answers, before it becomes bytes. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Written as JSON, unless `text` is given. `undefined` for both is an empty body. */
  json?: unknown;
  text?: string | Buffer;
  contentType?: string;
  /** For lists: what the next request will carry, and whether the list ends here. */
  page?: { next: string; last: boolean };
}

/** Thrown by a route to answer something else. */
export class Refusal extends Error {
  override name = "Refusal";
  constructor(readonly answer: Answer) {
    super(`Answers ${answer.status}`);
  }
}

export function ok(json: unknown): Answer {
  return { status: 200, json };
}

/** Envelope (a): `{error, description}`. */
export function refusal(status: number, error: string, description?: string, details?: unknown): Refusal {
  return new Refusal({
    status,
    json: { error, ...(description !== undefined && { description }), ...(details !== undefined && { details }) },
  });
}

/** Envelope (b): `{error: {title, message}}`. */
export function titledRefusal(status: number, title: string, message: string): Refusal {
  return new Refusal({ status, json: { error: { title, message } } });
}

/** Envelope (c): `{errors: [{code, title}]}`. */
export function listedRefusal(status: number, code: string, title: string): Refusal {
  return new Refusal({ status, json: { errors: [{ code, status: String(status), title }] } });
}

export const recordNotFound = (): Refusal => refusal(404, "RecordNotFound", "Not found");
export const invalidEndpoint = (): Refusal => refusal(404, "InvalidEndpoint", "Not found");

export function htmlPage(status: number, title: string): Answer {
  return {
    status,
    contentType: "text/html; charset=utf-8",
    text: `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`,
  };
}
