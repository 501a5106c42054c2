import { Fragment } from "react";
import { Num } from "#app/_ui/num.tsx";
import type { DriftRun } from "#lib/connections/shapes.ts";

import { streamTitles } from "#lib/connections/shapes.ts";
import { columnWords, differing } from "./drift.ts";

type OfStream = DriftRun["streams"][number];

/** How many of a stream's rows differed, and in what. */
export function UnusualShare({ of }: { of: OfStream }) {
  return (
    <>
      <Num value={differing(of)} /> of <Num value={of.compared} /> {streamTitles[of.stream].toLowerCase()}
      {of.columns.length > 0 && (
        <>
          , <DifferingColumns of={of} />
        </>
      )}
      .
    </>
  );
}

/** As many rows of a stream are kept by name, and with them in what they differed. */
const NAMED = 1000;

/** The columns in which rows of a stream differed, the most frequent first, each with how many rows. */
export function DifferingColumns({ of }: { of: OfStream }) {
  return (
    <>
      {differing(of) > NAMED && (
        <>
          the first <Num value={NAMED} /> of them{" "}
        </>
      )}
      in{" "}
      {of.columns.map(({ name, rows }, at) => (
        <Fragment key={name}>
          {at > 0 && ", "}
          {columnWords(name)} (<Num value={rows} />)
        </Fragment>
      ))}
    </>
  );
}
