import { cn } from "#app/_ui/class-names.ts";
import { Hint } from "#app/_ui/hint.tsx";
import { Num } from "#app/_ui/num.tsx";
import type { Drift } from "#lib/connections/shapes.ts";
import { Cell, HeadCell } from "../table-cells.tsx";
import { differences, differing } from "./drift.ts";

/** `inWords`: the row says by itself how many differed and were repaired; on a narrow screen that is enough. */
type InWords = { inWords?: boolean };

/** The headers of what was compared, what differed, each way on its own where there is room, and what was repaired. */
export function DriftHeadCells({ inWords = false }: InWords) {
  return (
    <>
      <HeadCell end>
        <Hint content="What Zendesk showed of the past year: of organizations, groups and fields all; of everything else what changed in it. So fewer than are stored.">
          Compared
        </Hint>
      </HeadCell>
      <HeadCell end className={inWords ? "hidden" : "sm:hidden"}>
        Differed
      </HeadCell>
      {differences.map(({ key, words, meaning }) => (
        <HeadCell key={key} end className="max-sm:hidden">
          <Hint content={meaning}>{words}</Hint>
        </HeadCell>
      ))}
      <HeadCell end className={cn(inWords && "max-sm:hidden")}>
        Repaired
      </HeadCell>
    </>
  );
}

export function DriftCells({ drift, inWords = false }: InWords & { drift: Drift }) {
  return (
    <>
      <Cell end>
        <Num value={drift.compared} />
      </Cell>
      <Cell end muted={differing(drift) === 0} className={inWords ? "hidden" : "sm:hidden"}>
        <Num value={differing(drift)} />
      </Cell>
      {differences.map(({ key }) => (
        <Cell key={key} end muted={drift[key] === 0} className="max-sm:hidden">
          <Num value={drift[key]} />
        </Cell>
      ))}
      <Cell end muted={drift.repaired === 0} className={cn(inWords && "max-sm:hidden")}>
        <Num value={drift.repaired} />
      </Cell>
    </>
  );
}
