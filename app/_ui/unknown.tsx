"use client";

import { Hint } from "./hint.tsx";

type UnknownProps = {
  /** Why it is not known, in a sentence. */
  reason: string;
  /** Opens what there is, where there is something. */
  onPress?: () => void;
};

/** "–": not known, with the reason on hover, focus and tap. Never a zero. */
export function Unknown({ reason, onPress }: UnknownProps) {
  return (
    <Hint content={reason} label={`Not known: ${reason}`} onPress={onPress} className="text-muted no-underline">
      –
    </Hint>
  );
}
