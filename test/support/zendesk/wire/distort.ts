import type { Id } from "../world/ids.ts";
import type { DistortedKind, World } from "../world/world.ts";
import type { Wire } from "./json.ts";

/** The row as the account is told to answer it: true, unless a distortion is set for it. */
export function distorted(world: World, kind: DistortedKind, id: Id, row: Wire): Wire {
  if (world.distortions.size === 0) return row;
  const distortion = world.distortions.get(`${kind}:${id}`);
  if (distortion === undefined) return row;
  return typeof distortion === "function" ? distortion(row) : { ...row, ...distortion };
}
