import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { generatePassword } from "#lib/auth/passwords.ts";

/** What the product makes for itself at the first start and keeps in DATA_DIR, readable by its owner only. */

export interface Secrets {
  auth: string;
  encryption: string;
  cron: string;
}

export interface Administrator {
  email: string;
  password: string;
}

const ownerOnly = 0o600;

/** The given secrets, and for those that are not given the kept ones, made at first use. */
export function keepSecrets(dataDir: string, given: { [Name in keyof Secrets]: string | null }): Secrets {
  const { auth, encryption, cron } = given;
  if (auth && encryption && cron) return { auth, encryption, cron };
  const file = path.join(dataDir, "secrets.json");
  const made = { auth: randomSecret(), encryption: randomSecret(), cron: randomSecret() };
  const kept = keep(file, JSON.stringify(made));
  const secrets: Partial<Secrets> = readJson(file, kept);
  return {
    auth: auth ?? text(file, secrets.auth),
    encryption: encryption ?? text(file, secrets.encryption),
    cron: cron ?? text(file, secrets.cron),
  };
}

export interface KeptAdministrator extends Administrator {
  /** Where the generated password stands, or will; null where the environment gives it. */
  file: string | null;
  /** True when an interrupted start left the password behind, its user perhaps made. */
  isLeftBehind: boolean;
}

/**
 * The first administrator's sign-in. A password that nobody gave is generated and written down before the user is made,
 * so that a start which is interrupted between the two does not lose it; `settleAdministrator` says how that went.
 */
export function keepAdministrator(
  dataDir: string,
  given: { email: string | null; password: string | null },
): KeptAdministrator {
  const email = given.email ?? "admin@bellwether.local";
  if (given.password !== null) return { email, password: given.password, file: null, isLeftBehind: false };
  const file = path.join(dataDir, "first-administrator.json");
  const source = fs.existsSync(file) ? file : `${file}.pending`;
  const isLeftBehind = source !== file && fs.existsSync(source);
  const made = JSON.stringify({ email, password: generatePassword() });
  const kept: Partial<Administrator> = readJson(source, keep(source, made));
  return { email: given.email ?? text(file, kept.email), password: text(file, kept.password), file, isLeftBehind };
}

/** Keeps the generated password of a user that was made, and drops one that turned out not to be needed. */
export function settleAdministrator(
  { email, password, file, isLeftBehind }: KeptAdministrator,
  created: boolean,
): void {
  if (file === null) return;
  if (created || isLeftBehind) keep(file, JSON.stringify({ email, password }));
  fs.rmSync(`${file}.pending`, { force: true });
}

/** The file's text, which is `made` unless somebody was there before. */
export function keep(file: string, made: string): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  if (!fs.existsSync(file)) {
    fs.writeFileSync(unfinished, `${made}\n`, { mode: ownerOnly });
    try {
      fs.linkSync(unfinished, file); // whole or not at all, and the first one wins
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      fs.rmSync(unfinished);
    }
  }
  if (process.platform !== "win32" && (fs.statSync(file).mode & 0o077) !== 0) fs.chmodSync(file, ownerOnly);
  return fs.readFileSync(file, "utf8");
}

function readJson<Value>(file: string, kept: string): Partial<Value> {
  try {
    return JSON.parse(kept);
  } catch {
    throw new Error(`${file} is damaged. Restore it from a backup; without it, stored credentials cannot be read.`);
  }
}

function text(file: string, value: string | undefined): string {
  if (typeof value === "string" && value !== "") return value;
  throw new Error(`${file} is damaged. Restore it from a backup; without it, stored credentials cannot be read.`);
}

function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}
