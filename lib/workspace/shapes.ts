import { z } from "zod";

export const knownPriorities = ["low", "normal", "high", "urgent"] as const;

export const workspaceSettings = z.object({
  name: z.string(),
  timeZone: z.string(),
  windows: z.array(z.number().int()),
  topPriorities: z.array(z.enum(knownPriorities)),
  minimumRatings: z.number().int(),
  countMerged: z.boolean(),
  syncIntervalMinutes: z.number().int(),
  demo: z.boolean(),
});
export type WorkspaceSettings = z.infer<typeof workspaceSettings>;

export const workspacePatch = z
  .strictObject({
    name: z.string().trim().min(1, "must not be empty").max(200),
    timeZone: z.string().min(1).max(100),
    windows: z
      .array(z.number().int().min(1, "a window has at least 1 day").max(730, "a window has at most 730 days"))
      .min(1, "give at least one window")
      .max(5, "at most five windows")
      .refine((days) => new Set(days).size === days.length, "the same window stands twice"),
    topPriorities: z
      .array(z.enum(knownPriorities))
      .min(1, "name at least one priority")
      .refine((names) => new Set(names).size === names.length, "the same priority stands twice"),
    minimumRatings: z.number().int().min(1).max(1000),
    countMerged: z.boolean(),
    syncIntervalMinutes: z.number().int().min(5, "at least 5 minutes").max(1440, "at most 1,440 minutes"),
  })
  .partial();
export type WorkspacePatch = z.infer<typeof workspacePatch>;
