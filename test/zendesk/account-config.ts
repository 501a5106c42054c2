import { pino } from "pino";
import { readConfig } from "#lib/config.ts";

export const silentLog = pino({ level: "silent" });

/** A configuration whose Zendesk is the stand-in. */
export function configFor(zendesk: { url: string }) {
  return readConfig({
    DATABASE_URL: "postgres://unused@127.0.0.1/unused",
    AUTH_SECRET: "a".repeat(32),
    ENCRYPTION_KEY: "e".repeat(32),
    CRON_SECRET: "c".repeat(32),
    ZENDESK_URL: zendesk.url,
  });
}
