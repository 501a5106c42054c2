"use client";

import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { useSilence } from "./silence.ts";

/** While the server does not answer: the screen stays, and says how old it is. */
export function SilenceBar() {
  const silence = useSilence();
  if (!silence) return null;
  const { since, reason, signedOut } = silence;
  return (
    <Notice
      kind="failure"
      announce
      className="rounded-none px-4"
      title={
        since ? (
          <>
            Nothing new is shown since <RelativeTime at={since} as="moment" />.
          </>
        ) : (
          "Nothing new can be shown."
        )
      }
      actions={signedOut && <Link href="/sign-in">Sign in</Link>}
    >
      {reason} {!signedOut && "It is asked again every few seconds."}
    </Notice>
  );
}
