import { PageTooHeavy, type ZendeskClient } from "#lib/zendesk/client.ts";
import { toSeconds } from "#lib/zendesk/dates.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import { newPlace } from "#lib/zendesk/place.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";

const smallestPage = 10;

/** Organizations in which nobody is left, and what is needed to judge them. */
export interface Suspects {
  /** Those that Zendesk does not find by id, in their stored version. */
  deserted: { id: string; updatedAt: Date | null }[];
  /** Those that it finds still: a merge may not have come to its end (zendesk-api section 6.1). */
  living: string[];
  /** Those that it does not find, and in which somebody is left here: the pages that show them leave may come yet, and where all of them go counts. */
  leaving: string[];
  /** All that was visible before has been read. */
  freshThrough: Date | null;
  /** The largest page that Zendesk was last seen to bear. */
  pageSize: number | null;
}

export interface Verdict {
  /** The export does not show them either. */
  gone: string[];
  /** Whether they live cannot be told yet. */
  open: string[];
  /** Pages of the export that were asked for. */
  looks: number;
}

/**
 * Which suspects the export does not show either, neither in the version that is stored nor in one that came since. A 404 by id
 * that lasts, and somebody who leaves meanwhile, befall living organizations too (row 30). `most` pages of the export are looked
 * at, at least two: the last one at its end, since who has changed meanwhile is shown there. Throws WaitNeeded, and what concerns
 * the whole connection.
 */
export async function judgeDeserted(
  client: ZendeskClient,
  suspects: Pick<Suspects, "deserted" | "freshThrough" | "pageSize">,
  most: number,
): Promise<Verdict> {
  // What is younger may show late, in the export and by id alike (row 12).
  const newest = toSeconds(client.serverNow()) - streamNamed("organizations").overlap;
  const versions = suspects.deserted
    .map(({ id, updatedAt }) => ({ id, second: updatedAt ? toSeconds(updatedAt) : Number.POSITIVE_INFINITY }))
    .sort((a, b) => a.second - b.second);
  const open = versions.map(({ id }) => id);
  if (suspects.freshThrough === null || !versions.some(({ second }) => second <= newest))
    return { gone: [], open, looks: 0 };
  const look = new ExportLook(client, suspects.pageSize);
  const looked: string[] = [];
  let through = Number.NEGATIVE_INFINITY;
  for (const { id, second } of versions.filter(({ second }) => second <= newest)) {
    if (second >= through) {
      if (look.count >= most - 1) break;
      through = await look.from(second);
    }
    if (second < through) looked.push(id);
  }
  if (through < Number.POSITIVE_INFINITY) through = await look.from(toSeconds(suspects.freshThrough));
  const unseen = (ids: readonly string[]) => ids.filter((id) => !look.shown.has(id));
  const { count: looks } = look;
  if (through < Number.POSITIVE_INFINITY) return { gone: [], open: unseen(open), looks };
  return { gone: unseen(looked), open: unseen(open).filter((id) => !looked.includes(id)), looks };
}

/** Single pages of the organizations' export. */
class ExportLook {
  /** Living organizations that it showed. */
  readonly shown = new Set<string>();
  /** Pages that were asked for. */
  count = 0;
  private readonly stream = streamNamed("organizations");
  private size: number;

  constructor(
    private readonly client: ZendeskClient,
    pageSize: number | null,
  ) {
    this.size = Math.min(this.stream.largestPage, pageSize ?? this.stream.largestPage);
  }

  /**
   * One page from a second on: gives the second before which it shows everything; infinity where it is the last, minus
   * infinity where Zendesk would not show it: the stream itself says what is wrong then.
   */
  async from(second: number): Promise<number> {
    for (;;) {
      this.count++;
      try {
        const ask = { client: this.client, size: this.size, shrinkable: this.size > smallestPage };
        const page = await this.stream.read(ask, newPlace(second));
        for (const row of page.rows) if (!row?.deleted_at) this.shown.add(String(row?.id));
        if (page.end) return Number.POSITIVE_INFINITY;
        return /^\d+$/.test(page.at ?? "") ? Number(page.at) : Number.NEGATIVE_INFINITY;
      } catch (error) {
        if (error instanceof PageTooHeavy) this.size = Math.max(smallestPage, Math.floor(this.size / 2));
        else if (error instanceof ZendeskError && error.scope === "stream") return Number.NEGATIVE_INFINITY;
        else throw error;
      }
    }
  }
}
