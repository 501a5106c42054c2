import type pg from "pg";
import { type Db, inWorkspace } from "#db/client.ts";
import type { MatchKey } from "#lib/matching/shapes.ts";
import { putMatchKeys } from "#lib/matching/store.ts";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** The instant of every benchmark: data ends here, and windows stand at its day. */
export const NOW = new Date("2026-06-15T12:00:00Z");

/** Each of them matches every organization, but to different accounts. */
export const matchLadders: readonly [MatchKey, MatchKey] = [
  { organizationField: "external_id", accountField: "externalId", normalize: "exact" },
  { organizationField: "organization_fields.sibling", accountField: "externalId", normalize: "exact" },
];

const indexesDropped = "tablename = 'ticket' and indexname <> 'ticket_pkey'";

/**
 * A workspace of three years: accounts whose sizes follow Zipf (s = 1), 1.2 organizations an account, 15 % of the tickets
 * rated, 5 % without organization. Written by the server itself; the same seed gives the same rows.
 */
export async function generateWorkspace(
  owner: pg.Client,
  db: Db,
  size: { tickets: number; accounts: number; seed: number },
): Promise<Scope> {
  const scope = await makeScope(owner);
  const { workspaceId: ws, connectionId: connection } = scope;
  await owner.query("select setseed($1), set_config('app.workspace', $2, false)", [
    (size.seed % 1000) / 1000,
    String(ws),
  ]);
  await owner.query("begin");
  for (const statement of accountStatements(ws, connection, size.accounts)) await owner.query(statement);
  const { rows: indexes } = await owner.query<{ indexname: string; indexdef: string }>(
    `select indexname, indexdef from pg_indexes where ${indexesDropped}`,
  );
  for (const { indexname } of indexes) await owner.query(`drop index ${indexname}`);
  await owner.query(ticketStatement(ws, connection, size));
  for (const { indexdef } of indexes) await owner.query(indexdef);
  await owner.query(ratingStatement(ws, connection));
  await owner.query("commit");
  await owner.query("vacuum analyze");
  await inWorkspace(db, ws, (trx) => putMatchKeys(trx, scope, [matchLadders[0]]));
  await inWorkspace(db, ws, (trx) => rebuildMetrics(trx, ws, NOW));
  await owner.query("vacuum analyze");
  return scope;
}

/** A connection that has been read, in a workspace of its own. */
async function makeScope(owner: pg.Client): Promise<Scope> {
  const workspace = await owner.query<{ id: number }>(
    `insert into workspace (name, created_at) values ('Bench', '2023-01-01Z') returning id`,
  );
  const ws = workspace.rows[0]?.id ?? 0;
  await owner.query("select set_config('app.workspace', $1, false)", [String(ws)]);
  const connection = await owner.query<{ id: number }>(
    `insert into connection (workspace_id, name, subdomain, access, auth_type, created_at, updated_at)
     values ($1, 'Bench', 'bench', 'read', 'api_token', '2023-01-01Z', '2023-01-01Z') returning id`,
    [ws],
  );
  const connectionId = connection.rows[0]?.id ?? 0;
  await owner.query(
    `insert into stream_state (workspace_id, connection_id, stream, purpose, caught_up, state, fresh_through, updated_at)
     select $1, $2, stream, 'incremental', true, 'done', $3, $3
       from unnest('{tickets,organizations,satisfaction_ratings}'::text[]) stream`,
    [ws, connectionId, NOW],
  );
  return { workspaceId: ws, connectionId };
}

/** Organizations 1 … M belong to the account of that rank; M + 1 … are second organizations of the largest fifth. */
function accountStatements(ws: number, connection: number, accounts: number): string[] {
  const organizations = accounts + Math.floor(accounts / 5);
  const rank = `case when g <= ${accounts} then g else g - ${accounts} end`;
  return [
    `insert into account (workspace_id, external_id, name, owner_email, created_at, updated_at)
     select ${ws}, 'acc-' || g, 'Account ' || md5(g::text), 'csm' || (g % 40) || '@bench.example', '2023-01-01Z', '2023-01-01Z'
       from generate_series(1, ${accounts}) g order by md5(g::text)`,
    `insert into organization (workspace_id, connection_id, id, name, external_id, created_at, updated_at, content_hash)
     select ${ws}, ${connection}, g, 'Organization ' || g, 'acc-' || ${rank}, '2023-01-01Z', '2023-01-01Z', g
       from generate_series(1, ${organizations}) g`,
    `insert into organization_field_value (workspace_id, connection_id, organization_id, key, value)
     select ${ws}, ${connection}, g, 'sibling', 'acc-' || (${rank}) % ${accounts} + 1 from generate_series(1, ${organizations}) g`,
    `insert into zendesk_user (workspace_id, connection_id, id, name, email, role, content_hash)
     select ${ws}, ${connection}, g, 'Person ' || g, 'person' || g || '@bench.example', 'end-user', g
       from generate_series(1, ${3 * accounts}) g`,
  ];
}

/** Ids rise with the creation; so does the rate of creation. Each random figure is drawn once a row. */
function ticketStatement(
  ws: number,
  connection: number,
  { tickets, accounts }: { tickets: number; accounts: number },
): string {
  const now = `'${NOW.toISOString()}'::timestamptz`;
  const draws = ["who", "second", "none", "top", "done", "open", "wait", "rated", "answer", "answered", "person"];
  return `
    insert into ticket (workspace_id, connection_id, id, created_at, updated_at, generated_timestamp, solved_at, rated_at,
                        organization_id, requester_id, assignee_id, group_id, content_hash, reopens, rating, priority,
                        status, status_category, type, channel, subject, tags)
    select ${ws}, ${connection}, i, created_at, updated_at, extract(epoch from updated_at)::bigint, solved_at,
           case when rating is not null then rated_at end, organization_id, 1 + floor(person * ${3 * accounts})::bigint,
           1 + i % 50, 1 + i % 7, i::bigint * 7919, 0, rating,
           case when top < 0.30 then null when top < 0.50 then 'low' when top < 0.85 then 'normal' when top < 0.96 then 'high'
                else 'urgent' end,
           status, status, 'incident', 'web', 'Question ' || i || ' about ' || md5(i::text), '{support,bench}'
      from (select *, greatest(solved_at, created_at) as updated_at,
                   case when solved_at is not null and rated < 0.155 then
                     case when answer < 0.85 then 3 when answer < 0.88 then 2 else 1 end end::smallint as rating,
                   least(solved_at + answered * interval '1 day', ${now}) as rated_at,
                   case when solved_at is null then (array['new', 'open', 'pending', 'hold'])[1 + floor(open * 4)::int]
                        when age > interval '28 days' then 'closed' else 'solved' end as status,
                   case when none < 0.05 then null
                        when account <= ${Math.floor(accounts / 5)} and second < 0.5 then ${accounts} + account
                        else account end as organization_id
              from (select *, ${now} - age as created_at,
                           least(${accounts}, floor(exp(who * ln(${accounts} + 1))))::bigint as account,
                           case when done < case when age > interval '30 days' then 0.985 when age > interval '7 days' then 0.85
                                                 else 0.4 end
                                then ${now} - age + least(age, wait * interval '3 days') end as solved_at
                      from (select i, ${draws.map((draw) => `random() as ${draw}`).join(", ")},
                                   interval '1095 days' * power(1 - i::float8 / ${tickets + 1}, 1.2) as age
                              from generate_series(1, ${tickets}) i) drawn) placed) told
     order by i`;
}

function ratingStatement(ws: number, connection: number): string {
  return `
    insert into satisfaction_rating (workspace_id, connection_id, system, id, ticket_id, score, category, rated_at, created_at,
                                     updated_at, content_hash)
    select ${ws}, ${connection}, 'legacy', id::text, id, word, word, rated_at, rated_at, rated_at, id
      from (select id, rated_at, (array['bad', 'neutral', 'good'])[rating] as word from ticket
             where workspace_id = ${ws} and rating is not null) rated`;
}
