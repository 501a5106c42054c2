import pg from "pg";
import { type EmbeddedPostgres, ensurePostgres, stopPostgres } from "#db/embedded.ts";

export interface HeldPostgres extends Pick<EmbeddedPostgres, "ownerUrl" | "url"> {
  /** How many others hold it: a running product is one. */
  countOthers(): Promise<number>;
  /** Lets go; stops the server unless another start still holds it. */
  release(): Promise<void>;
}

const holder = "bellwether launcher";

/**
 * Runs the embedded PostgreSQL for as long as it is held. A connection kept open marks the holder for others and tells
 * when the server dies: it is then started again, on its old port if that is free (row 78). `onMoved` is called when it
 * could not come back where it was, so that those who know the old address can end.
 */
export async function holdPostgres(dir: string, onMoved: (error?: unknown) => void): Promise<HeldPostgres> {
  let released = false;
  const first = await ensurePostgres(dir);
  let client = await connect(first.ownerUrl);

  function watch(): void {
    client.once("end", () => {
      if (!released) restart().catch(onMoved);
    });
  }
  async function restart(): Promise<void> {
    const again = await ensurePostgres(dir);
    if (again.url !== first.url) return onMoved();
    client = await connect(again.ownerUrl);
    watch();
  }
  watch();

  return {
    ownerUrl: first.ownerUrl,
    url: first.url,
    countOthers: () => countOtherHolders(client),
    async release() {
      released = true;
      const others = await countOtherHolders(client).catch(() => 0);
      await client.end().catch(() => {});
      if (others === 0) await stopPostgres(dir);
    },
  };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: holder });
  client.on("error", () => {}); // "end" follows
  await client.connect();
  return client;
}

async function countOtherHolders(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()`,
    [holder],
  );
  return rows[0]?.count ?? 0;
}
