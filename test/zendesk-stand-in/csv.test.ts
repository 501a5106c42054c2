import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { worldFromCsv } from "#test/support/zendesk/csv.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { basic } from "./client.ts";

const accounts = `account_id,account_name,industry,seats
A-1,First,EdTech,9
A-2,Second,FinTech,18
A-3,First,Energy,3
`;
const tickets = `ticket_id,account_id,submitted_at,closed_at,resolution_time_hours,priority,first_response_time_minutes,satisfaction_score,escalation_flag
T-1,A-1,2024-05-01,2024-05-02,27,high,74,5,FALSE
T-2,A-1,2024-05-03,2024-05-03,2,medium,10,3,TRUE
T-3,A-2,2024-05-04,,,urgent,,,FALSE
`;

describe("a world from CSV", () => {
  it("knows the columns of the public data set and tells each ticket's history", () => {
    const { world, accounts: rows } = worldFromCsv({ accounts, tickets });
    expect(rows[0]).toEqual({
      externalId: "A-1",
      name: "First",
      ownerEmail: "",
      attributes: { industry: "EdTech", seats: "9" },
    });
    const told = truth(world);
    expect(told.organizations.map((row) => [row.name, row.externalId])).toEqual([
      ["First", "A-1"],
      ["Second", "A-2"],
      ["First (A-3)", "A-3"],
    ]);
    expect(told.tickets).toMatchObject([
      { priority: "high", status: "closed", createdAt: "2024-05-01T00:00:00Z", solvedAt: "2024-05-02T03:00:00Z" },
      { priority: "normal", status: "closed", tags: ["escalated"] },
      { priority: "urgent", status: "new", solvedAt: null },
    ]);
    expect(told.answers.map((row) => row.score)).toEqual(["good", "neutral"]);
    expect(told.transitions.map((row) => row.kind)).toEqual([
      "ticket_created",
      "ticket_solved",
      "ticket_created",
      "ticket_solved",
      "ticket_created",
    ]);
  });

  it("takes a mapping of one's own", () => {
    const { world } = worldFromCsv({
      accounts: "nr,title\n7,Seven\n",
      tickets: "customer,opened,what,rated\n7,2024-01-01T10:00:00Z,Help,bad\n",
      mapping: {
        accounts: { externalId: "nr", name: "title" },
        tickets: { account: "customer", createdAt: "opened", subject: "what", satisfaction: "rated" },
      },
    });
    expect(truth(world).tickets).toMatchObject([{ subject: "Help", createdAt: "2024-01-01T10:00:00Z" }]);
  });

  it("names what is wrong: columns, lines, accounts, dates", () => {
    expect(() => worldFromCsv({ accounts: "a,b\n1,2\n", tickets })).toThrow("No known mapping");
    const unknown = `${tickets}T-4,A-9,2024-05-04,,,low,,,FALSE\n`;
    expect(() => worldFromCsv({ accounts, tickets: unknown })).toThrow("line 5: no account A-9");
    const undated = `${tickets}T-4,A-1,soon,,,low,,,FALSE\n`;
    expect(() => worldFromCsv({ accounts, tickets: undated })).toThrow("line 5: submitted_at is no date: soon");
  });
});

describe("the demo command", () => {
  it("serves two files, prints its address and credentials, writes the accounts, and ends when told to", async () => {
    const folder = mkdtempSync(join(tmpdir(), "stand-in-"));
    writeFileSync(join(folder, "accounts.csv"), accounts);
    writeFileSync(join(folder, "tickets.csv"), tickets);
    const out = join(folder, "out.csv");
    const child = spawn(process.execPath, [
      ...["--import", "tsx", "test/support/zendesk/main.ts", "--port", "0", "--json", "--accounts-out", out],
      ...["--accounts", join(folder, "accounts.csv"), "--tickets", join(folder, "tickets.csv")],
    ]);
    try {
      const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
      const ready = JSON.parse(line) as {
        url: string;
        subdomain: string;
        credentials: { email: string; token: string };
      };
      const base = ready.url.replace("{subdomain}", ready.subdomain);
      const answer = await fetch(`${base}/api/v2/incremental/tickets/cursor.json?start_time=0`, {
        headers: basic(ready.credentials.email, ready.credentials.token),
      });
      expect(((await answer.json()) as { tickets: unknown[] }).tickets).toHaveLength(3);
      expect(answer.headers.get("x-rate-limit")).toBe("70000");
      expect(readFileSync(out, "utf8").split("\n")[0]).toBe("external_id,name,owner_email,industry,seats");
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      expect((await ended)[0]).toBe(0);
    } finally {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true });
    }
  });
});
