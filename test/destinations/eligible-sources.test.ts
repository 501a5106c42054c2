import { describe, expect, test } from "vitest";
import {
  PATCH as change,
  DELETE as deleteDestination,
  GET as getDestination,
} from "#app/api/v1/destinations/[id]/route.ts";
import { GET as listSources } from "#app/api/v1/sources/route.ts";
import { type Place, useDestinations } from "#test/destinations/ground.ts";

/* C-3: an event is written to a Zendesk once, so one destination of it takes a source; who asks for it as a second is told why not. */

const ground = useDestinations();
const { api, database } = ground;
const twice = /^“Shop” is written to this Zendesk through “First” already: .*twice/;

const body = (place: Place, more: object = {}) => ({
  connectionId: place.connectionId,
  sourceIds: [place.sourceId],
  profile: "rudderstack",
  ...more,
});
const patch = ({ key }: Place, id: string, body: object) =>
  api.call(change, `/api/v1/destinations/${id}`, { key, body });
const sources = async ({ key }: Place, query = "") =>
  (await api.call(listSources, `/api/v1/sources${query}`, { key })).body.items.map(({ ineligible }) => ineligible);

describe("a source that another destination writes to the same Zendesk", () => {
  test("is refused when a destination is made, and when it is changed, naming the other one", async () => {
    const place = await ground.place();
    await ground.destination(place, { name: "First" });
    const refused = await ground.create(place, body(place));
    expect([refused.status, refused.error?.code, refused.error?.details]).toEqual([
      422,
      "invalid",
      [{ path: "sourceIds.0", message: expect.stringMatching(twice) }],
    ]);
    const second = await ground.destination(place, { sourceIds: [] });
    expect((await patch(place, second, { sourceIds: [place.sourceId] })).error?.details).toEqual([
      { path: "sourceIds.0", message: expect.stringMatching(twice) },
    ]);
    const { body: kept } = await api.call(getDestination, `/api/v1/destinations/${second}`, { key: place.key });
    expect(kept.sourceIds).toEqual([]);
  });

  test("through another connection of the account too, which its number tells, else its subdomain", async () => {
    const place = await ground.place();
    await ground.destination(place, { name: "First" });
    const of = async (columns: { subdomain?: string; zendesk_account_id?: string }) =>
      (await ground.create(place, body(place, { connectionId: await ground.connection(place, columns) }))).status;
    expect(await of({ subdomain: "acme", zendesk_account_id: "7" })).toBe(422);
    await database.inWorkspace(place.workspace, (trx) =>
      trx
        .updateTable("connection")
        .set({ zendesk_account_id: "7" })
        .where("id", "=", Number(place.connectionId))
        .execute(),
    );
    expect(await of({ subdomain: "acme-renamed", zendesk_account_id: "7" })).toBe(422);
    expect(await of({})).toBe(201);
  });

  test("stays with the destination that has it, and is free when that gives it up or is deleted", async () => {
    const place = await ground.place();
    const first = await ground.destination(place, { name: "First" });
    const second = await ground.destination(place, { sourceIds: [] });
    const take = { sourceIds: [place.sourceId] };
    expect((await patch(place, first, { ...take, name: "First" })).body.sourceIds).toEqual([place.sourceId]);
    await patch(place, first, { sourceIds: [] });
    expect((await patch(place, second, take)).body.sourceIds).toEqual([place.sourceId]);
    expect((await patch(place, first, take)).status).toBe(422);
    await api.call(deleteDestination, `/api/v1/destinations/${second}`, { key: place.key });
    expect((await patch(place, first, take)).status).toBe(200);
  });

  test("is given to one of ten that ask at once", async () => {
    const place = await ground.place();
    const answers = await Promise.all(Array.from({ length: 10 }, () => ground.create(place, body(place))));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array(9).fill(422)]);
  });
});

test("the list of sources says for a destination why each cannot be taken, by the same rule", async () => {
  const place = await ground.place();
  const first = await ground.destination(place, { name: "First" });
  const off = await ground.source(place.workspace, false);
  const elsewhere = await ground.connection(place);
  const isOff = "It is switched off: switch it on first.";
  const isWritten = expect.stringMatching(/^It is written to this Zendesk through “First” already: .*twice\. .*\.$/);
  expect(await sources(place)).toEqual([isOff, null]);
  expect(await sources(place, `?connectionId=${place.connectionId}`)).toEqual([isOff, isWritten]);
  expect(await sources(place, `?connectionId=${elsewhere}`)).toEqual([isOff, null]);
  await database.inWorkspace(place.workspace, (trx) =>
    trx
      .insertInto("destination_source")
      .values({ workspace_id: place.workspace, destination_id: Number(first), source_id: Number(off) })
      .execute(),
  );
  const ours = `?connectionId=${place.connectionId}&destinationId=${first}`;
  expect(await sources(place, ours)).toEqual([null, null]);
  const { key } = place;
  expect((await api.call(listSources, "/api/v1/sources?connectionId=424242", { key })).status).toBe(404);
  expect((await api.call(listSources, "/api/v1/sources?connectionId=x", { key })).status).toBe(404);
});
