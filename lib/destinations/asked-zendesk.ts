import type { Intent, NotedZendesk } from "#lib/destinations/attempt.ts";
import type { Session } from "#lib/destinations/session.ts";
import type { Answer } from "#lib/zendesk/answers.ts";
import type { Get } from "#lib/zendesk/client.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";

type Writing = Parameters<NotedZendesk["write"]>[4];
type Method = Parameters<NotedZendesk["write"]>[1];

/** Zendesk for a dry run: it is asked, and what would be written is only told. */
export class AskedZendesk implements NotedZendesk {
  readonly intents: Intent[] = [];
  private readonly session: Pick<Session, "client">;

  constructor(session: Pick<Session, "client">) {
    this.session = session;
  }

  async find(_step: string, path: string, get: Get): Promise<Answer | null> {
    try {
      return await this.session.client.get(path, get);
    } catch (error) {
      if (error instanceof ZendeskError && error.code === "not_found") return null;
      throw error;
    }
  }

  async write(
    _step: string,
    method: Method,
    _path: string,
    _body: unknown,
    { intent, supposed }: Writing,
  ): Promise<Answer | null> {
    this.intents.push(intent);
    if (supposed === undefined) return null;
    const at = new Date(0);
    const status = method === "POST" ? 201 : 200;
    return {
      body: supposed,
      text: JSON.stringify(supposed),
      status,
      date: at,
      requestedAt: at,
      latest: at,
      fetchedAt: at,
    };
  }
}
