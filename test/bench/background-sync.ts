import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { inWorkspace, openDatabase } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { storeTickets } from "#lib/zendesk/store/tickets.ts";
import { randomFrom } from "#test/metrics/random.ts";
import type { Bench, Options } from "./bench.ts";
import { NOW } from "./generate.ts";
import { PageMaker, readPage, ticketRows } from "./pages.ts";

type Work = Pick<Options, "tickets" | "accounts" | "seed"> & { url: string; scope: Scope };

/** A process that stores pages of changed and new tickets, one after the other, whenever it is not paused. */
export async function startSync(bench: Bench) {
  const child = fork(fileURLToPath(import.meta.url), ["--sync"], { execArgv: process.execArgv });
  const { url, scope, tickets, accounts, seed } = bench;
  const tell = async (word: Work | "resume" | "pause", answer: string) => {
    const heard = new AbortController();
    child.send(word);
    const said = await Promise.race(
      ["message", "exit"].map((event) => once(child, event, { signal: heard.signal }).then(([first]) => first)),
    ).finally(() => heard.abort());
    if (said !== answer) throw new Error(`The syncing process said ${said} instead of ${answer}.`);
  };
  await tell({ url, scope, tickets, accounts, seed }, "ready");
  return {
    resume: () => tell("resume", "storing"),
    pause: () => tell("pause", "paused"),
    end: async () => {
      if (child.exitCode !== null) return;
      const exit = once(child, "exit");
      child.send("end");
      await exit;
    },
  };
}

async function storePages(): Promise<void> {
  const [work] = (await once(process, "message")) as [Work];
  const { db } = openDatabase(work.url, { poolSize: 2 });
  const maker = new PageMaker(db, work.scope, work, randomFrom(work.seed + 1), 2);
  const order = { wanted: "pause" as "pause" | "resume" | "end", told: "pause", wake: () => {} };
  process.on("message", (word: typeof order.wanted) => {
    order.wanted = word;
    order.wake();
  });
  process.once("disconnect", () => process.exit());
  process.send?.("ready");
  while (order.wanted !== "end") {
    if (order.wanted !== order.told) process.send?.(order.wanted === "resume" ? "storing" : "paused");
    order.told = order.wanted;
    if (order.wanted === "pause") {
      await new Promise<void>((resolve) => {
        order.wake = resolve;
      });
      continue;
    }
    const rows = ticketRows(readPage(await maker.page(800)));
    await inWorkspace(db, work.scope.workspaceId, (trx) => storeTickets(trx, work.scope, rows, NOW));
  }
  await db.destroy();
  process.disconnect();
}

if (process.argv.includes("--sync")) await storePages();
