import { describe, expect, it } from "vitest";
import { disagreements } from "#test/support/zendesk/agreement.ts";
import { commitsThen, conflict, type Lost, losesRequest, storm } from "#test/support/zendesk/write-faults.ts";
import { kindsOf, type Write, world, write, zendesk } from "./writer.ts";

const organization = (name: string, external_id = name) =>
  write("POST", "/organizations/create_or_update", { organization: { name, external_id } });

describe("an answer that is lost", () => {
  it.each<[Lost, string]>([
    ["reset", "nothing"],
    ["cut", "nothing"],
    ["502", "502 text/html; charset=utf-8"],
    ["504", "504 text/html; charset=utf-8"],
    ["html", "200 text/html; charset=utf-8"],
    ["empty", "200 null"],
  ])(
    "by %s leaves its effect where the account has done it, and looks the same where it has not",
    async (lost, seen) => {
      const path = "/api/v2/organizations";
      const shown: string[] = [];
      for (const fault of [commitsThen(lost), losesRequest(lost)]) {
        const active = zendesk.faults.add({ method: "POST", path }, fault, { times: 1 });
        const look = ({ status, headers }: Awaited<ReturnType<Write>>) => `${status} ${headers.get("content-type")}`;
        shown.push(await organization(fault.label).then(look, () => "nothing"));
        expect(active.strikes).toBe(1);
      }
      expect(shown).toEqual([seen, seen]);
      expect(kindsOf(zendesk)).toEqual(["organization.created"]);
      expect(world.organizations.list().map(({ name }) => name)).toEqual([`commits, then ${lost}`]);
    },
  );

  it("by silence does too", async () => {
    zendesk.faults.add({ method: "POST" }, commitsThen("timeout"), { times: 1 });
    const answer = organization("Acme").catch(() => "cut off");
    await expect.poll(() => kindsOf(zendesk)).toEqual(["organization.created"]);
    await zendesk.close();
    expect(await answer).toBe("cut off");
  });
});

it("a conflict does nothing", async () => {
  zendesk.faults.add({ method: "POST" }, conflict(), { times: 1 });
  expect((await organization("Acme")).status).toBe(409);
  expect(kindsOf(zendesk)).toEqual([]);
});

describe("a storm", () => {
  /** Writes blindly until it is told of success, as nobody should. */
  async function insist(send: () => Promise<{ status: number; text: string }>): Promise<void> {
    for (let time = 0; time < 50; time++) {
      const answer = await send().catch(() => null);
      if (answer !== null && answer.status < 300 && answer.text.startsWith("{")) return;
    }
    throw new Error("Nothing gets through");
  }

  it("is the same for the same seed, meets a share of the writes and no reads", async () => {
    const weather = async () => {
      zendesk.journal.clear();
      const active = storm(zendesk.faults, { seed: 5, share: 0.5, kinds: ["conflict", "commits, then 502"] });
      for (let i = 0; i < 20; i++) {
        await organization(`O${i}`);
        await write("GET", "/organizations");
      }
      active.remove();
      const struck = zendesk.journal.entries.filter(({ faults }) => faults.length > 0);
      expect(struck.every(({ method, faults }) => method === "POST" && faults.length === 1)).toBe(true);
      expect(active.strikes).toBe(struck.length);
      return struck.map(({ faults }) => faults[0]);
    };
    const first = await weather();
    expect(new Set(first)).toEqual(new Set(["409", "commits, then 502"]));
    expect(await weather()).toEqual(first);
  });

  it("shows in the journal of effects who wrote twice, and that the account is what the effects made of it", async () => {
    const user = await write("POST", "/users", { user: { name: "Ann", email: "ann@acme.com" } });
    const { id } = user.json.user;
    storm(zendesk.faults, { seed: 3, share: 0.5 });
    for (let i = 0; i < 25; i++) {
      await insist(() => organization(`Acme ${i}`, "G"));
      await insist(() => write("PUT", `/users/${id}`, { user: { notes: `Note ${i}` } }));
      await insist(() => write("POST", "/tickets", { ticket: { comment: { body: "B" }, external_id: `blind-${i}` } }));
      const once = { "idempotency-key": `key-${i}` };
      await insist(() => write("POST", "/tickets", { ticket: { comment: { body: "B" } } }, once));
    }
    const { effects } = zendesk;
    expect(effects.repeated("ticket.created", ({ values }) => String(values.external_id ?? "")).size).toBeGreaterThan(
      0,
    );
    expect(effects.repeated("ticket.created", ({ idempotencyKey }) => idempotencyKey).size).toBe(0);
    expect(effects.of("organization")).toHaveLength(25);
    expect(disagreements(world, effects)).toEqual([]);
    const [created] = effects.of("ticket.created");
    world.tickets.update(created?.id as string, { subject: "Another" }, { comment: { body: "C" }, channel: "api" });
    world.users.update(String(id), { notes: "Another" });
    expect(disagreements(world, effects)).toHaveLength(2);
  });
});
