import type { Zendesk } from "#test/support/zendesk/start.ts";

/** Asks an account as a plain HTTP client would. */
export interface TestClient {
  get(path: string, headers?: Record<string, string>): Promise<TestAnswer>;
  send(method: string, path: string, body: unknown, headers?: Record<string, string>): Promise<TestAnswer>;
}

export interface TestAnswer {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body: whichever of these keys it has. */
  json: Envelope;
}

export interface Row {
  id: number;
  [key: string]: unknown;
}

type Lists = Record<
  | "tickets"
  | "users"
  | "organizations"
  | "groups"
  | "ticket_fields"
  | "custom_statuses"
  | "satisfaction_ratings"
  | "organization_memberships",
  Row[]
>;

export interface Envelope extends Lists {
  user: Row;
  ticket: Row;
  token: Row;
  ticket_events: (Row & { child_events: Row[] })[];
  survey_responses: (Omit<Row, "id"> & { id: string; answers: unknown[]; subject_zrns: string[] })[];
  meta: { has_more: boolean; after_cursor: string };
  links: { next: string | null };
  count: unknown;
  previous_page: string | null;
  next_page: string | null;
  after_cursor: string;
  after_url: string;
  end_of_stream: boolean;
  end_time: number | null;
  error: string;
  description: string;
  errors: { code: string }[];
  access_token: string;
  refresh_token: string;
  token_type: string;
  scope: string;
  expires_in: number;
}

export function basic(email: string, token: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${email}/token:${token}`).toString("base64")}` };
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** A client with the administrator's API token; other headers replace it. */
export function clientOf(zendesk: Zendesk, subdomain?: string): TestClient {
  const world = zendesk.world(subdomain);
  const base = zendesk.url.replace("{subdomain}", world.subdomain);
  const own = basic(world.credentials.email, world.credentials.token);
  const send: TestClient["send"] = async (method, path, body, headers = own) => {
    const response = await fetch(base + path, {
      method,
      redirect: "manual",
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  };
  return { send, get: (path, headers) => send("GET", path, undefined, headers) };
}

function parsed(text: string): Envelope {
  try {
    return JSON.parse(text) as Envelope;
  } catch {
    return {} as Envelope;
  }
}
