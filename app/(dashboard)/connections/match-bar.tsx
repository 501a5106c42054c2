import { Hint } from "#app/_ui/hint.tsx";
import { Num } from "#app/_ui/num.tsx";
import type { MatchCounts } from "#lib/matching/shapes.ts";

const parts = [
  { key: "matched", words: "matched", fill: "bg-series-1" },
  { key: "ambiguous", words: "ambiguous", fill: "bg-watch" },
  { key: "unmatched", words: "unmatched", fill: "bg-series-previous" },
  { key: "ignored", words: "ignored", fill: "bg-line" },
] as const;

/** How the organizations are matched: a bar and the same in words. */
export function MatchBar({ counts }: { counts: MatchCounts }) {
  return (
    <div className="min-w-0 text-table">
      <div aria-hidden className="flex h-2 overflow-hidden rounded-full bg-sunken">
        {parts.map(({ key, fill }) => (
          <div key={key} className={fill} style={{ flexGrow: counts[key], flexBasis: 0 }} />
        ))}
      </div>
      <p className="mt-1 flex flex-wrap gap-x-3 text-muted">
        <span>
          <Hint content="Those that exist in Zendesk: deleted and merged ones are not matched">
            <Num value={counts.organizations} /> organizations
          </Hint>
          :
        </span>
        {parts.map(({ key, words, fill }) => (
          <span key={key} className="inline-flex items-center gap-1">
            <span aria-hidden className={`size-2 rounded-full ${fill}`} />
            <Num value={counts[key]} /> {words}
          </span>
        ))}
      </p>
    </div>
  );
}
