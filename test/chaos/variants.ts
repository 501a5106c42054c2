import type { SpellKind } from "./spells.ts";

/** One exact replacement in one file. `search` stands there exactly once. */
export interface Replacement {
  file: string;
  search: string;
  replace: string;
}

/** A way to break the product on purpose, which the chaos run must notice. */
export interface Variant {
  name: string;
  replacements: Replacement[];
  /** What has to go wrong with the accounts for the fault to show; default: whatever the seed brings. */
  under?: SpellKind[];
}

export const variants: readonly Variant[] = [
  {
    name: "the next start from now(), not from what was read",
    replacements: [
      {
        file: "lib/zendesk/stream-turn.ts",
        search: "resume_from: later(reading, state?.resume_from, resumeFrom(stream, place)),",
        replace: "resume_from: reading.clock(),",
      },
    ],
  },
  {
    name: "no overlap for what shows late",
    replacements: [
      {
        file: "lib/zendesk/claims.ts",
        search: "return place.live === null ? null : new Date(place.live - stream.overlap * 1000);",
        replace: "return place.live === null ? null : new Date(place.live - stream.overlap * 0);",
      },
    ],
  },
  {
    name: "what changes again before it shows is left to the next run",
    replacements: [
      {
        file: "lib/zendesk/outrun.ts",
        search: "if (outrun.length === 0) return;",
        replace: "if (outrun.length >= 0) return;",
      },
    ],
  },
  {
    name: "a guard with > only",
    replacements: [
      {
        file: "lib/zendesk/store/tickets.ts",
        search: "or (page.generated_timestamp = was.generated_timestamp and page.content_hash <> was.content_hash",
        replace: "or (false and page.content_hash <> was.content_hash",
      },
    ],
  },
  {
    name: "deletion by absence, at once",
    replacements: [
      {
        file: "lib/zendesk/absences.ts",
        search: "const dayAgo = new Date(now.getTime() - confirmAfter);",
        replace: "const dayAgo = new Date(now.getTime() + confirmAfter);",
      },
    ],
    under: ["rows not found by id"],
  },
  {
    name: "gone because a listing lacks it, asked by nobody",
    replacements: [
      {
        file: "lib/zendesk/absences.ts",
        search:
          "  await dismissLiving(reading, stream);\n  await askForAll(reading, stream, { heldBy: null }, between);\n",
        replace:
          "  const lacking = await commit(reading, (trx) => nominees(trx, reading.scope, stream));\n  await commit(reading, (trx) => entomb(trx, reading, stream, lacking));\n",
      },
    ],
    under: ["rows not found by id"],
  },
  {
    name: "the cursor committed before the rows",
    replacements: [
      {
        file: "lib/zendesk/pass.ts",
        search: "    const stored = await commit(reading, async (trx) => {\n",
        replace:
          "    await commit(reading, async (trx) => {\n      await this.savePlace(trx, place, end, size);\n      if (end) await this.options.finish(trx, place);\n    });\n    const stored = await commit(reading, async (trx) => {\n",
      },
    ],
    under: ["sessions ended"],
  },
  {
    name: "a lease without its epoch",
    replacements: [
      {
        file: "lib/jobs/lease.ts",
        search: "  if (serverStart === undefined) throw new LeaseLost(lease);\n  return serverStart;\n",
        replace: "  return serverStart ?? lease.serverStart;\n",
      },
    ],
  },
  {
    name: "success on 403",
    replacements: [
      {
        file: "lib/zendesk/stream-turn.ts",
        search: 'const failed: StreamEnd = { name: stream.name, state: "failed", failure: error.words() };',
        replace:
          'const failed: StreamEnd = { name: stream.name, state: error.status === 403 ? "ok" : "failed", failure: error.words() };',
      },
    ],
    under: ["a stream refused"],
  },
  {
    name: "a run with failed streams succeeds",
    replacements: [
      {
        file: "lib/jobs/judge.ts",
        search: "if (broken.length > 0) return end",
        replace: "if (broken.length > 99) return end",
      },
    ],
    under: ["a stream refused"],
  },
  {
    name: "refused look-ups count as verified",
    replacements: [
      {
        file: "lib/zendesk/reconcile.ts",
        search: "return (await comparisonDoubt(trx, scope, name)) ?? refusalDoubt(trx, scope, name);",
        replace: "return comparisonDoubt(trx, scope, name);",
      },
    ],
    under: ["checks refused"],
  },
  {
    name: "following redirects",
    replacements: [
      {
        file: "lib/zendesk/transport.ts",
        search: "      return { status: statusCode, headers, body: whole, elapsed: performance.now() - started };",
        replace:
          "      if (statusCode >= 300 && statusCode < 400) await fetch(String(headers.location), { headers: request.headers });\n      return { status: statusCode, headers, body: whole, elapsed: performance.now() - started };",
      },
    ],
  },
  {
    name: "one token a run",
    replacements: [
      {
        file: "lib/zendesk/stored-token.ts",
        search: "  return {\n    async header() {\n",
        replace: "  let first: Token | null = null;\n  return {\n    async header() {\n",
      },
      {
        file: "lib/zendesk/stored-token.ts",
        search: "const token = held && held.renewAt > clock() ? held : await renewed(null);",
        replace: "const token = (first ??= held && held.renewAt > clock() ? held : await renewed(null));",
      },
      {
        file: "lib/zendesk/stored-token.ts",
        search: 'const token = await renewed(rejected.replace(/^Bearer /, ""));',
        replace: 'const token = rejected === "" ? await renewed(rejected) : null;',
      },
    ],
  },
  {
    name: "Retry-After ignored",
    replacements: [
      {
        file: "lib/zendesk/client.ts",
        search: "const wait = this.withChance(told);",
        replace: "const wait = Math.min(told, 1000);",
      },
    ],
  },
  {
    name: "no limiter",
    replacements: [
      {
        file: "lib/zendesk/limits.ts",
        search: '      if (wait > 0) return { wait, at, reason: wait === silence ? "told" : "budget" };\n',
        replace: "",
      },
    ],
  },
  {
    name: "the end assumed where a page is not full",
    replacements: [
      {
        file: "lib/zendesk/readers.ts",
        search: 'const told = flagIn(answer.body.end_of_stream, "end_of_stream", of.path);\n    if (!told',
        replace: "const told = rows.length < size;\n    if (!told",
      },
    ],
  },
  {
    name: "an empty page taken for the end",
    replacements: [
      {
        file: "lib/zendesk/readers.ts",
        search: 'const told = flagIn(answer.body.end_of_stream, "end_of_stream", of.path);\n    if (!told',
        replace:
          'const told = flagIn(answer.body.end_of_stream, "end_of_stream", of.path) || rows.length === 0;\n    if (!told',
      },
    ],
    under: ["empty pages"],
  },
  {
    name: "whoever answers is the account",
    replacements: [
      {
        file: "lib/zendesk/identity.ts",
        search: "  if (sameId && sameEmail) return;\n",
        replace: "  if (sameId || !sameEmail) return;\n",
      },
    ],
    under: ["another account answers"],
  },
  {
    name: "a login that sees less is as good",
    replacements: [
      {
        file: "lib/zendesk/identity.ts",
        search: 'return identity.role !== "admin" && connection.login_role !== identity.role;',
        replace: 'return identity.role === "" && connection.login_role !== identity.role;',
      },
    ],
    under: ["role downgraded"],
  },
  {
    name: "whatever clock an answer shows is believed",
    replacements: [
      {
        file: "lib/zendesk/client.ts",
        search: "const offset = Math.min(this.serverOffset, this.leastOffset);",
        replace: "const offset = this.serverOffset;",
      },
      {
        file: "lib/zendesk/claims.ts",
        search: "ahead <= jitter ? place :",
        replace: "ahead <= Infinity ? place :",
      },
      {
        file: "lib/zendesk/claims.ts",
        search: "const isAhead = ({ client }: Reading, instant: Date) => instant > client.lastServerNow();",
        replace: "const isAhead = ({ client }: Reading, instant: Date) => instant < client.lastServerNow() && false;",
      },
    ],
  },
  {
    name: "tokens stored in the open",
    replacements: [
      {
        file: "lib/zendesk/sealing.ts",
        search: "const secret = encrypt(ctx.config.secrets.encryption, JSON.stringify(token));",
        replace: "const secret = JSON.stringify(token);",
      },
      {
        file: "lib/zendesk/sealing.ts",
        search: "JSON.parse(decrypt(ctx.config.secrets.encryption, secret)) as Token;",
        replace: "JSON.parse(secret) as Token;",
      },
    ],
  },
  {
    name: "numbers that keep what a ticket was before",
    replacements: [
      {
        file: "lib/zendesk/store/tickets.ts",
        search: "from fresh where not is_new),",
        replace: "from fresh where not is_new and false),",
      },
    ],
  },
];
