import { Num } from "#app/_ui/num.tsx";
import type { Budget } from "./budgets.ts";

const parts = [
  { key: "ours", words: "by us", fill: "bg-series-1" },
  { key: "others", words: "by others", fill: "bg-series-previous" },
  { key: "left", words: "left", fill: "bg-line" },
] as const;

/** A line a bucket: what of its requests is used by us, by others, and left, as a bar and in numbers. */
export function BudgetBars({ budgets }: { budgets: readonly Budget[] }) {
  return (
    <ul className="flex flex-col gap-2">
      {budgets.map((budget) => (
        <BudgetBar key={budget.name} budget={budget} />
      ))}
    </ul>
  );
}

function BudgetBar({ budget: { name, limit, ours, others } }: { budget: Budget }) {
  const shares = { ours, others, left: Math.max(0, limit - ours - others) };
  return (
    <li className="max-w-xl">
      <p className="flex flex-wrap justify-between gap-x-3 text-small">
        <span className="whitespace-nowrap">
          {name} <Num value={limit} className="text-muted" />
        </span>
        <span className="flex gap-x-3 whitespace-nowrap text-muted">
          {parts.map(({ key, words, fill }) => (
            <span key={key} className="inline-flex items-center gap-1">
              <span aria-hidden className={`size-2 rounded-full ${fill}`} />
              <Num value={shares[key]} /> {words}
            </span>
          ))}
        </span>
      </p>
      <div aria-hidden className="mt-0.5 flex h-1.5 overflow-hidden rounded-full bg-sunken">
        {parts.map(({ key, fill }) => (
          <div key={key} className={fill} style={{ flexGrow: shares[key], flexBasis: 0 }} />
        ))}
      </div>
    </li>
  );
}
