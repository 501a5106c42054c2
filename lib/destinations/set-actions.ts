import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import type { Db, Trx } from "#db/client.ts";
import { type List, pageOf, positionFrom } from "#lib/api/cursor.ts";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import { mappingProblems } from "#lib/destinations/mapping.ts";
import {
  type Action,
  type ActionKey,
  type actionBody,
  actionKeys,
  type actionsBody,
  type Condition,
  type MappingRule,
  type Profile,
} from "#lib/destinations/shapes.ts";
import { actionVersions, currentActions, insertActions, type StoredAction } from "#lib/destinations/store/actions.ts";
import { TemplateTime } from "#lib/destinations/template-time.ts";
import { conditionProblems } from "#lib/destinations/triggers.ts";
import { AppError } from "#lib/errors.ts";
import { instantWords } from "#lib/time-words.ts";

type ActionBody = z.infer<typeof actionBody>;
type GivenAction = ActionBody & Partial<z.output<typeof actionsBody>[number]>;

/** The six actions of a destination, in the order in which they are asked about an event. */
export async function readActions(db: Db, workspaceId: number, destinationId: number): Promise<Action[]> {
  const stored = (await currentActions(db, workspaceId, [destinationId])).get(destinationId) ?? [];
  return stored.map(presentAction);
}

/** Gives a new destination the six actions as its profile sets them. */
export async function insertDefaultActions(
  trx: Trx,
  workspaceId: number,
  destinationId: number,
  profile: Profile,
  by: string,
  now: Date,
): Promise<void> {
  const set = actionKeys.map((key) => ({ key, enabled: true, ...actionDefinitions[key].defaults[profile] }));
  await saveActions(trx, { workspaceId, destinationId }, [], set, by, now);
}

/** Another profile: actions that stand as the former one set them take the form of the new one; what somebody set stays. */
export async function changeDefaultActions(
  trx: Trx,
  workspaceId: number,
  destinationId: number,
  profile: { from: Profile; to: Profile },
  by: string,
  now: Date,
): Promise<void> {
  const stored = await storedActions(trx, workspaceId, destinationId);
  const wanted = stored.map(presentAction).map(({ key, enabled, trigger, mapping }) => {
    const { defaults } = actionDefinitions[key];
    const isUntouched = isDeepStrictEqual({ trigger, mapping }, defaults[profile.from]);
    return { key, enabled, ...(isUntouched ? defaults[profile.to] : { trigger, mapping }) };
  });
  await saveActions(trx, { workspaceId, destinationId }, stored, wanted, by, now);
}

/**
 * Sets actions; those that are left out stay, behind. Only what differs makes a new version. Throws `invalid` naming every
 * wrong place, `conflict` where it would undo a change that the caller has not seen. For whoever holds the destination.
 */
export async function putActions(
  trx: Trx,
  workspaceId: number,
  destinationId: number,
  bodies: readonly GivenAction[],
  by: string,
  now: Date,
): Promise<Action[]> {
  requireSound(bodies, "");
  const stored = await storedActions(trx, workspaceId, destinationId);
  requireSeen(bodies, stored);
  const left = stored.map(presentAction).filter(({ key }) => bodies.every((body) => body.key !== key));
  await saveActions(trx, { workspaceId, destinationId }, stored, [...bodies, ...left], by, now);
  return readActions(trx, workspaceId, destinationId);
}

/** What is stored may be another version than the change was made of, unless the change says the same. */
function requireSeen(bodies: readonly GivenAction[], stored: readonly StoredAction[]): void {
  const unseen = bodies.flatMap(({ expectedVersion, ...body }, index) => {
    const row = stored.find(({ action }) => action === body.key);
    if (expectedVersion === undefined || !row || row.version === expectedVersion) return [];
    return isSame(row, columnsOf(body, index)) ? [] : [{ index, expectedVersion, row }];
  });
  if (unseen.length === 0) return;
  const words = unseen.map(({ row }) => {
    const { name } = actionDefinitions[row.action as ActionKey];
    return `“${name}” was changed${row.created_by === null ? "" : ` by ${row.created_by}`} on ${instantWords(row.created_at)}.`;
  });
  throw new AppError(
    "conflict",
    `${words.join(" ")} Nothing was saved. Read the actions again, then make your change to what is stored now.`,
    {
      details: unseen.map(({ index, expectedVersion, row }) => ({
        path: `${index}.expectedVersion`,
        message: `is ${expectedVersion}, and version ${row.version} is stored`,
      })),
    },
  );
}

/** Every version of the actions, newest first. */
export async function listActionVersions(
  db: Db,
  workspaceId: number,
  destinationId: number,
  page: { limit: number; cursor?: string | undefined },
): Promise<List<Action>> {
  const [createdAt, action, version] = positionFrom(page.cursor, ["instant", "text", "number"]) ?? [];
  const after =
    createdAt !== undefined && action !== undefined && version !== undefined ? { createdAt, action, version } : null;
  const rows = await actionVersions(db, workspaceId, destinationId, { limit: page.limit + 1, after });
  return pageOf(rows, page.limit, presentAction, (row) => [row.created_at.toISOString(), row.action, row.version]);
}

/** Throws `invalid` unless conditions can be asked, fields exist and paths and templates can be read, these in `time`. */
export function requireSound(bodies: readonly ActionBody[], under: string, time = new TemplateTime()): void {
  const keys = bodies.map(({ key }) => key);
  const details = bodies.flatMap(({ key, trigger, mapping }, index) => {
    const at = `${under}${index}`;
    return [
      ...(keys.indexOf(key) === index ? [] : [{ path: `${at}.key`, message: `names ${key} a second time` }]),
      ...conditionProblems(trigger, `${at}.trigger`),
      ...mappingProblems(key, mapping, `${at}.mapping`, time),
    ];
  });
  if (details.length === 0) return;
  const text = details.map(({ path, message }) => `${path} ${message}`).join("; ");
  throw new AppError("invalid", text, { details });
}

async function storedActions(trx: Trx, workspaceId: number, destinationId: number): Promise<StoredAction[]> {
  return (await currentActions(trx, workspaceId, [destinationId])).get(destinationId) ?? [];
}

async function saveActions(
  trx: Trx,
  { workspaceId, destinationId }: { workspaceId: number; destinationId: number },
  stored: readonly StoredAction[],
  wanted: readonly Pick<Action, "key" | "enabled" | "trigger" | "mapping">[],
  by: string,
  now: Date,
): Promise<void> {
  const rows = wanted.flatMap(({ key, ...action }, position) => {
    const former = stored.find((row) => row.action === key);
    const set = columnsOf(action, position);
    if (former && isSame(former, set)) return [];
    return {
      workspace_id: workspaceId,
      destination_id: destinationId,
      action: key,
      version: (former?.version ?? 0) + 1,
      ...set,
      created_by: by,
      created_at: now,
    };
  });
  await insertActions(trx, rows);
}

const columnsOf = (
  { enabled, trigger, mapping }: Pick<Action, "enabled" | "trigger" | "mapping">,
  position: number,
) => ({
  position,
  enabled,
  trigger: JSON.stringify(trigger),
  mapping: JSON.stringify(mapping),
});

const isSame = (former: StoredAction, set: Pick<StoredAction, "position" | "enabled" | "trigger" | "mapping">) =>
  former.position === set.position &&
  former.enabled === set.enabled &&
  isDeepStrictEqual(JSON.parse(former.trigger), JSON.parse(set.trigger)) &&
  isDeepStrictEqual(JSON.parse(former.mapping), JSON.parse(set.mapping));

/** As it was checked when it was saved. */
export function presentAction(row: StoredAction): Action {
  const key = row.action as ActionKey;
  const { name, description } = actionDefinitions[key];
  return {
    key,
    name,
    description,
    enabled: row.enabled,
    trigger: JSON.parse(row.trigger) as Condition,
    mapping: JSON.parse(row.mapping) as MappingRule[],
    position: row.position,
    version: row.version,
    changedAt: row.created_at.toISOString(),
    changedBy: row.created_by,
  };
}
