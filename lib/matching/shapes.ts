import { z } from "zod";
import { id, listOf, listQuery, zendeskId } from "#lib/api/shapes.ts";

export const normalizations = ["exact", "case_insensitive", "domain"] as const;
export const normalization = z.enum(normalizations);
export type Normalization = z.infer<typeof normalization>;

export const matchKey = z.object({
  organizationField: z
    .string()
    .regex(
      /^(id|name|external_id|domain_names|organization_fields\.[^\s].*)$/s,
      "must be id, name, external_id, domain_names or organization_fields.<key>",
    ),
  accountField: z
    .string()
    .regex(/^(id|externalId|name|attributes\.[^\s].*)$/s, "must be id, externalId, name or attributes.<key>"),
  normalize: normalization.default("exact"),
});
export type MatchKey = z.infer<typeof matchKey>;
export const matchKeysBody = z.object({ keys: z.array(matchKey).max(10, "at most ten keys") });
export const matchKeysAnswer = z.object({ keys: z.array(matchKey) });

export const matchCounts = z.object({
  organizations: z.number().int(),
  matched: z.number().int(),
  unmatched: z.number().int(),
  ambiguous: z.number().int(),
  ignored: z.number().int(),
});
export type MatchCounts = z.infer<typeof matchCounts>;

/** What a ladder of keys gives, and what it would change against what holds now. */
export const matchPreview = matchCounts.extend({
  byKey: z.array(z.object({ index: z.number().int(), matched: z.number().int(), ambiguous: z.number().int() })),
  changes: z.object({ gained: z.number().int(), lost: z.number().int(), moved: z.number().int() }),
});
export type MatchPreview = z.infer<typeof matchPreview>;
/** PUT answers the preview's body beside the keys that hold from now on. */
export const matchKeysSaved = matchPreview.extend({ keys: z.array(matchKey) });

export const matchStates = ["matched", "unmatched", "ambiguous", "ignored"] as const;
export const matchState = z.enum(matchStates);
export type MatchState = z.infer<typeof matchState>;

const accountName = z.object({ id, externalId: z.string(), name: z.string() });

export const organizationItem = z.object({
  organizationId: zendeskId,
  name: z.string().nullable(),
  externalId: z.string().nullable(),
  domainNames: z.array(z.string()),
  state: matchState,
  /** In words: why it is matched, or what stands in the way. */
  reason: z.string(),
  account: accountName.nullable(),
  decidedBy: z
    .union([
      z.object({ type: z.literal("key"), index: z.number().int() }),
      z.object({ type: z.literal("person"), email: z.string(), at: z.string() }),
    ])
    .nullable(),
  /** Accounts it may be: those an ambiguous key met, or suggestions by name and domain, with the evidence. */
  candidates: z.array(accountName.extend({ evidence: z.string() })),
  tickets: z.number().int(),
});
export type OrganizationItem = z.infer<typeof organizationItem>;
export const organizationsQuery = listQuery.extend({
  state: matchState.optional(),
  q: z.string().max(200).optional(),
  /** `-tickets`: those with most tickets first, so that the queue is worked where it matters. */
  sort: z.enum(["id", "-tickets"]).default("id"),
  format: z.enum(["json", "csv"]).default("json"),
});
export type OrganizationsQuery = z.infer<typeof organizationsQuery>;
export const organizationList = listOf(organizationItem);

export const decisionBody = z.union([z.strictObject({ accountId: id }), z.strictObject({ ignored: z.literal(true) })]);
export type DecisionBody = z.infer<typeof decisionBody>;
/** What a corrected unmatched list did, row by row. */
export const decisionImport = z.object({
  decided: z.number().int(),
  unchanged: z.number().int(),
  rejected: z.array(z.object({ line: z.number().int(), organizationId: z.string().nullable(), message: z.string() })),
});
export type DecisionImport = z.infer<typeof decisionImport>;
