import type pg from "pg";

/** A change of a place of reading, as the database saw it. */
export interface Move {
  connectionId: number;
  stream: string;
  purpose: string;
  was: { position: string | null; caughtUp: boolean; fresh: Date | null; resume: Date | null } | null;
  is: { position: string | null; caughtUp: boolean; fresh: Date | null; resume: Date | null };
  /** The nonce of the process that wrote it, and the holder of the lease at that moment. */
  writer: string;
  holder: string | null;
}

/** What must never happen to a row happened, or may only happen for a reason. */
export interface RowEvent {
  connectionId: number;
  table: string;
  id: string;
  kind: "older" | "buried" | "revived";
  detail: string;
}

const tables = { ticket: "generated_timestamp", zendesk_user: "updated_at", organization: "updated_at" };

/** The database keeps a record of its own, beside the product's tables, of every move of a place and every turn of a row. */
export class Chronicle {
  private lastMove = "0";
  private lastEvent = "0";

  constructor(private readonly owner: pg.Client) {}

  async install(): Promise<void> {
    await this.owner.query(`
      create schema chaos;
      create table chaos.move (n bigint generated always as identity, connection_id int, stream text, purpose text,
        was jsonb, is_now jsonb, writer text, holder text);
      create table chaos.row_event (n bigint generated always as identity, connection_id int, "table" text, id text, kind text, detail text);
      create function chaos.note_move() returns trigger language plpgsql security definer as $$ begin
        if tg_op = 'INSERT' and new.position is null and new.fresh_through is null then return null; end if;
        if tg_op = 'UPDATE' and (old.position, old.fresh_through, old.resume_from, old.caught_up)
             is not distinct from (new.position, new.fresh_through, new.resume_from, new.caught_up) then return null; end if;
        insert into chaos.move (connection_id, stream, purpose, was, is_now, writer, holder)
        select new.connection_id, new.stream, new.purpose, case when tg_op = 'UPDATE' then to_jsonb(old) end, to_jsonb(new),
               current_setting('application_name'),
               (select holder from connection_lease l where l.workspace_id = new.workspace_id and l.connection_id = new.connection_id);
        return null; end $$;
      create trigger chaos_move after insert or update on stream_state for each row execute function chaos.note_move();`);
    for (const [table, version] of Object.entries(tables)) {
      await this.owner.query(`
        create function chaos.note_${table}() returns trigger language plpgsql security definer as $$ begin
          if tg_op = 'UPDATE' and new.${version} < old.${version} then
            insert into chaos.row_event (connection_id, "table", id, kind, detail)
            values (new.connection_id, '${table}', new.id::text, 'older', old.${version}::text || ' → ' || new.${version}::text); end if;
          if new.deleted_at is not null and (tg_op = 'INSERT' or old.deleted_at is null) then
            insert into chaos.row_event (connection_id, "table", id, kind, detail)
            values (new.connection_id, '${table}', new.id::text, 'buried', current_setting('application_name')); end if;
          if tg_op = 'UPDATE' and old.deleted_at is not null and new.deleted_at is null then
            insert into chaos.row_event (connection_id, "table", id, kind, detail)
            values (new.connection_id, '${table}', new.id::text, 'revived', current_setting('application_name')); end if;
          return null; end $$;
        create trigger chaos_${table} after insert or update on ${table} for each row execute function chaos.note_${table}();`);
    }
  }

  /** Moves since the last call. */
  async moves(): Promise<Move[]> {
    const { rows } = await this.owner.query<{
      n: string;
      connection_id: number;
      stream: string;
      purpose: string;
      was: StateJson | null;
      is_now: StateJson;
      writer: string;
      holder: string | null;
    }>("select * from chaos.move where n > $1 order by n", [this.lastMove]);
    this.lastMove = rows.at(-1)?.n ?? this.lastMove;
    return rows.map((row) => ({
      connectionId: row.connection_id,
      stream: row.stream,
      purpose: row.purpose,
      was: row.was && stateOf(row.was),
      is: stateOf(row.is_now),
      writer: row.writer,
      holder: row.holder,
    }));
  }

  /** Turns of rows since the last call. */
  async rowEvents(): Promise<RowEvent[]> {
    const { rows } = await this.owner.query<RowEvent & { n: string; connection_id: number }>(
      "select * from chaos.row_event where n > $1 order by n",
      [this.lastEvent],
    );
    this.lastEvent = rows.at(-1)?.n ?? this.lastEvent;
    return rows.map((row) => ({ ...row, connectionId: row.connection_id }));
  }
}

interface StateJson {
  position: string | null;
  caught_up: boolean;
  fresh_through: string | null;
  resume_from: string | null;
}

function stateOf(json: StateJson): Move["is"] {
  return {
    position: json.position,
    caughtUp: json.caught_up,
    fresh: json.fresh_through ? new Date(json.fresh_through) : null,
    resume: json.resume_from ? new Date(json.resume_from) : null,
  };
}
