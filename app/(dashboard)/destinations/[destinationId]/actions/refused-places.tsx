import type { ReactNode } from "react";
import { ApiError } from "#app/_queries/client.ts";
import type { ActionBody } from "#app/_queries/destinations.ts";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { TextWithTimes } from "#app/_ui/text-with-times.tsx";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import type { ErrorDetail } from "#lib/errors.ts";

type Places = readonly ErrorDetail[];

/** What is wrong with actions that were refused, each by its place: "3.mapping.0.from". */
export const refusedPlaces = (error: unknown): Places =>
  error instanceof ApiError && error.code === "invalid"
    ? error.details.map(({ path, message }) => ({ path: path.replace(/^actions\./, ""), message }))
    : [];

/** Of these what stands at a place or below it, each by the rest of its path. */
export const below = (places: Places, place: string | number): Places =>
  place === ""
    ? places
    : places.flatMap(({ path, message }) =>
        `${path}.`.startsWith(`${place}.`) ? [{ path: path.slice(`${place}.`.length), message }] : [],
      );

type RefusalProps = {
  /** What came of it, where there are places to correct. */
  title: string;
  error: unknown;
  actions: readonly ActionBody[];
  /** Buttons that mend it. */
  mends?: ReactNode;
  children?: ReactNode;
};

/** Why actions were refused, place by place in the words of the screen. */
export function Refusal({ title, error, actions, mends, children }: RefusalProps) {
  const places = refusedPlaces(error);
  return (
    <Notice
      kind="failure"
      announce
      title={places.length > 0 ? title : <TextWithTimes text={reasonOf(error)} />}
      actions={mends}
    >
      {children}
      {places.map(({ path, message }) => (
        <p key={`${path} ${message}`}>
          {placeWords(path, actions)}: {message}
        </p>
      ))}
    </Notice>
  );
}

/** "Create ticket, mapping of subject" instead of "3.mapping.0.from". */
function placeWords(path: string, actions: readonly ActionBody[]): string {
  const [index, part, rule] = path.split(".");
  const action = actions[Number(index)];
  if (!action) return path;
  const name = actionDefinitions[action.key].name;
  if (part === "trigger") return `${name}, trigger`;
  const to = part === "mapping" ? action.mapping[Number(rule)]?.to : undefined;
  return to ? `${name}, mapping of ${to}` : name;
}
