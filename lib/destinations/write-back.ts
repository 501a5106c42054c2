import { randomUUID } from "node:crypto";
import type { z } from "zod";
import type { Trx } from "#db/client.ts";
import { activeFieldKeys } from "#lib/connections/custom-fields.ts";
import { holdDestination } from "#lib/destinations/destinations.ts";
import { organizationLane } from "#lib/destinations/lanes.ts";
import { organizationFieldsPlace } from "#lib/destinations/procedures/write-back.ts";
import type { writeBackBody } from "#lib/destinations/shapes.ts";
import { insertDeliveries } from "#lib/destinations/store/deliveries.ts";
import { type StoredDestination, updateDestination } from "#lib/destinations/store/destinations.ts";
import {
  noteWriteBack,
  replaceWriteBackRules,
  type WriteBackValue,
  writeBackRules,
} from "#lib/destinations/store/write-back.ts";
import { AppError } from "#lib/errors.ts";

type Rule = z.output<typeof writeBackBody>["rules"][number];

/**
 * Chooses what is written back. Nothing is written by this itself: what differs is compared and queued soon after. Throws
 * `invalid` where two rules fill one field, and for a rule that is new or changed and names a field that Zendesk has not.
 */
export async function putWriteBack(
  trx: Trx,
  workspaceId: number,
  id: string,
  { rules }: z.output<typeof writeBackBody>,
  by: string,
  now: Date,
): Promise<StoredDestination> {
  const fields = rules.map(({ organizationField }) => organizationField);
  const details = fields.flatMap((field, index) =>
    fields.indexOf(field) === index
      ? []
      : [{ path: `rules.${index}.organizationField`, message: `${field} is filled by an earlier rule` }],
  );
  if (details.length > 0) throw new AppError("invalid", "A field takes one value only.", { details });
  const row = await holdDestination(trx, workspaceId, id);
  await requireFields(trx, row, rules);
  const stored = rules.map(({ organizationField, measure, enabled }, position) => ({
    workspace_id: workspaceId,
    destination_id: row.id,
    organization_field: organizationField,
    measure,
    position,
    enabled,
    created_by: by,
    created_at: now,
  }));
  await replaceWriteBackRules(trx, workspaceId, row.id, stored);
  await updateDestination(trx, workspaceId, row.id, { write_back_version: null, updated_at: now });
  return row;
}

/** As Zendesk was read last: where its fields were never read, nobody can tell, and the delivery does. */
async function requireFields(
  trx: Trx,
  { workspace_id: workspaceId, id, connection_id: connectionId }: StoredDestination,
  rules: readonly Rule[],
): Promise<void> {
  const known = await activeFieldKeys(trx, { workspaceId, connectionId }, "organization");
  if (known === null) return;
  const stored = await writeBackRules(trx, workspaceId, id);
  // What stood there stays, and can be switched off.
  const stood = ({ organizationField, measure, enabled }: Rule) =>
    stored.some(
      (rule) => rule.organization_field === organizationField && rule.measure === measure && (rule.enabled || !enabled),
    );
  const details = rules.flatMap((rule, index) =>
    known.has(rule.organizationField) || stood(rule)
      ? []
      : [{ path: `rules.${index}.organizationField`, message: missingFieldWords(rule.organizationField) }],
  );
  if (details.length === 0) return;
  const keys = details.length === 1 ? "A field is" : "Fields are";
  throw new AppError("invalid", `${keys} not among the organization fields of Zendesk. Nothing was saved.`, {
    details,
  });
}

const missingFieldWords = (key: string) =>
  `“${key}” is no active organization field of Zendesk, as it was read last: take the key of one that is, or create it there (${organizationFieldsPlace}), have the connection read again, and save once more`;

/** Queues what is to stand in the fields of organizations: a delivery each. For whoever holds the destination. */
export async function queueWriteBack(
  trx: Trx,
  destination: StoredDestination,
  values: readonly WriteBackValue[],
  now: Date,
): Promise<void> {
  const { workspace_id: workspaceId, id: destinationId, connection_id: connectionId } = destination;
  const organizations = new Map<string, WriteBackValue[]>();
  for (const value of values) {
    organizations.set(value.organizationId, [...(organizations.get(value.organizationId) ?? []), value]);
  }
  const deliveries = [...organizations].map(([organizationId, own]) => ({
    destinationId,
    connectionId,
    eventId: null,
    messageId: null,
    action: "write_back" as const,
    actionVersion: 1,
    command: {
      fields: {
        id: organizationId,
        ...Object.fromEntries(own.map(({ field, value }) => [`organization_fields.${field}`, value])),
      },
      unmapped: {},
    },
    commandKey: `${destinationId}.write_back.${organizationId}.${randomUUID()}`,
    lanes: [organizationLane(organizationId)],
  }));
  const inserted = await insertDeliveries(trx, workspaceId, deliveries, now);
  const idOf = new Map(inserted.map(({ commandKey, id }) => [commandKey, id]));
  const noted = deliveries.flatMap(({ commandKey, command: { fields } }) => {
    const deliveryId = idOf.get(commandKey);
    const own = organizations.get(fields.id) ?? [];
    return deliveryId === undefined ? [] : own.map((value) => ({ ...value, deliveryId }));
  });
  await noteWriteBack(trx, { workspaceId, destinationId }, noted, now);
}
