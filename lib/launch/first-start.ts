import { openDatabase } from "#db/client.ts";
import { ensureFirstStart, type FirstStarted } from "#lib/auth/first-start.ts";
import type { LaunchConfig } from "#lib/config.ts";
import type { Administrator } from "#lib/launch/kept.ts";

/** Makes what a first visit needs: a workspace, its administrator and, if asked for, the API key. Repeatable. */
export async function prepareWorkspace(
  url: string,
  config: LaunchConfig,
  administrator: Administrator,
  now: Date,
): Promise<FirstStarted> {
  const { db } = openDatabase(url, { poolSize: 2, applicationName: "bellwether first start" });
  try {
    return await ensureFirstStart(db, {
      demo: config.demo,
      adminEmail: administrator.email,
      adminPassword: administrator.password,
      bootstrapApiKey: config.bootstrapApiKey,
      now,
    });
  } finally {
    await db.destroy();
  }
}
