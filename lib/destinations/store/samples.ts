import type { Trx } from "#db/client.ts";

/** Keeps a sample among the events, for the destination that is tested alone: it counts as routed. Gives its id. */
export async function insertSample(
  trx: Trx,
  workspaceId: number,
  sample: {
    sourceId: number;
    messageId: string;
    type: string;
    name: string | null;
    userId: string | null;
    anonymousId: string | null;
    groupId: string | null;
    email: string | null;
    payload: string;
  },
  now: Date,
): Promise<string> {
  const { id } = await trx
    .insertInto("event")
    .values({
      workspace_id: workspaceId,
      source_id: sample.sourceId,
      message_id: sample.messageId,
      type: sample.type,
      name: sample.name,
      user_id: sample.userId,
      anonymous_id: sample.anonymousId,
      group_id: sample.groupId,
      email: sample.email,
      payload: sample.payload,
      ...{ occurred_at: now, received_at: now, routed_at: now },
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}
