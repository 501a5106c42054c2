import pg from "pg";
import type { Random } from "#test/support/zendesk/world/random.ts";

/** What goes wrong between the product and its database, seen from the server. */
export class DatabaseFaults {
  readonly struck = new Map<string, number>();
  isReadOnly = false;
  private rivals = new Set<Promise<void>>();

  constructor(
    private readonly url: string,
    private readonly owner: pg.Client,
    private readonly random: Random,
    private readonly disturbed: () => void,
  ) {}

  /** The server ends one of the product's sessions, or all of them. */
  async terminate(all: boolean): Promise<void> {
    this.count(all ? "all sessions ended" : "session ended");
    this.disturbed();
    await this.owner.query(
      `select pg_terminate_backend(pid) from (
         select pid from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and application_name !~ '^chaos'
          order by random() limit $1) chosen`,
      [all ? 1000 : 1],
    );
  }

  async readOnly(on: boolean): Promise<void> {
    if (on === this.isReadOnly) return;
    this.isReadOnly = on;
    if (on) this.count("read-only");
    const { rows } = await this.owner.query<{ name: string }>("select current_database() as name");
    await this.owner.query(`alter database ${rows[0]?.name} set default_transaction_read_only = ${on ? "on" : "off"}`);
    await this.terminate(true);
  }

  /** Somebody else locks the same rows, the last first (row 80). */
  rival(): void {
    this.count("rival locks");
    const work = this.lockBackwards().catch(() => {});
    this.rivals.add(work);
    void work.finally(() => this.rivals.delete(work));
  }

  async settle(): Promise<void> {
    await Promise.all(this.rivals);
  }

  private async lockBackwards(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url, application_name: "chaos-rival" });
    client.on("error", () => {});
    await client.connect();
    try {
      await client.query("begin read write");
      const { rows } = await client.query<{ id: string; connection_id: number }>(
        "select id, connection_id from ticket order by generated_timestamp desc, id desc limit $1",
        [this.random.between(5, 40)],
      );
      for (const { id, connection_id } of rows.reverse()) {
        await client.query("select 1 from ticket where connection_id = $1 and id = $2 for update", [connection_id, id]);
      }
    } finally {
      await client.query("rollback").catch(() => {});
      await client.end();
    }
  }

  private count(kind: string): void {
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + 1);
  }
}
