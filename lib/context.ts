import type pg from "pg";
import { type Db, openDatabase } from "#db/client.ts";
import { type Config, readConfig, secretValues } from "#lib/config.ts";
import { apart, log, registerSecrets } from "#lib/log.ts";

/** What the process has once: configuration, database, log. */
export interface Context {
  config: Config;
  db: Db;
  pool: pg.Pool;
  log: typeof log;
}

// The bundler may load this file more than once a process; the pool must not be.
const home = globalThis as typeof globalThis & { bellwetherContext?: Context };

export function context(): Context {
  home.bellwetherContext ??= open();
  return home.bellwetherContext;
}

const ofContexts = globalThis as typeof globalThis & { bellwetherOfContexts?: Map<string, WeakMap<object, unknown>> };

/** What a process has one of for each context, made when it is first asked for. `name`: in every loading of the file the same. */
export function onePerContext<Of extends object, Made>(name: string, make: (ctx: Of) => Made): (ctx: Of) => Made {
  return (ctx) => {
    ofContexts.bellwetherOfContexts ??= new Map();
    const made = ofContexts.bellwetherOfContexts.get(name) ?? new WeakMap<object, unknown>();
    ofContexts.bellwetherOfContexts.set(name, made);
    if (!made.has(ctx)) made.set(ctx, make(ctx));
    return made.get(ctx) as Made;
  };
}

function open(): Context {
  const config = readConfig(process.env);
  log.level = config.log.level;
  registerSecrets(secretValues(config), "lasting");
  const { db, pool } = openDatabase(config.database.url, {
    poolSize: config.database.poolSize,
    // It breaks on its own, whichever request opened it.
    onError: (error) => apart(() => log.warn({ err: error }, "a database connection broke")),
  });
  return { config, db, pool, log };
}
