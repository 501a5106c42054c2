import http from "node:http";
import type { AddressInfo } from "node:net";
import { answerAtDoor } from "#app/v1/in-front.ts";
import { inWorkspace } from "#db/client.ts";
import { context } from "#lib/context.ts";
import { insertEvents, type NewEvent } from "#lib/sources/store/events.ts";

/*
 * A process of its own, as a door is: `product` with all that the product does at a call; `raw` is the least that takes the
 * same calls: it knows nobody, judges nothing and says nothing, and stores them with the same statement.
 */

const [kind, workspaceId, sourceId] = process.argv.slice(2);
const ctx = context();

const server = http.createServer((message, response) => {
  if (kind === "product") answerAtDoor(message, response);
  else
    takeRaw(message).then(
      () => response.writeHead(200, { "content-type": "application/json" }).end('{"success":true}'),
      () => response.writeHead(503).end(),
    );
});

async function takeRaw(message: http.IncomingMessage): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const receivedAt = new Date();
  const events = (body.batch ?? [body]).map(
    (event: Record<string, string>): NewEvent => ({
      sourceId: Number(sourceId),
      messageId: event.messageId ?? "",
      isNamed: true,
      type: event.type ?? "",
      name: event.event ?? null,
      userId: event.userId ?? null,
      anonymousId: null,
      groupId: null,
      email: null,
      occurredAt: receivedAt,
      receivedAt,
      payload: JSON.stringify(event),
      rejection: null,
    }),
  );
  await inWorkspace(ctx.db, Number(workspaceId), (trx) => insertEvents(trx, Number(workspaceId), events, 7));
}

server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit(0));
