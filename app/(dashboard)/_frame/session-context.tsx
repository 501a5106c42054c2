"use client";

import { createContext, type ReactNode, useContext } from "react";
import type { Role } from "#lib/auth/shapes.ts";

export type FrameSession = {
  user: { id: string; email: string; name: string | null; role: Role };
  workspace: { id: string; name: string; demo: boolean };
};

const SessionContext = createContext<FrameSession | null>(null);

export function SessionProvider({ session, children }: { session: FrameSession; children: ReactNode }) {
  return <SessionContext value={session}>{children}</SessionContext>;
}

/** Who is signed in, and where. For what is shown; what is allowed is decided by the API. */
export function useSession(): FrameSession {
  const session = useContext(SessionContext);
  if (!session) throw new Error("useSession is for screens inside the dashboard layout.");
  return session;
}
