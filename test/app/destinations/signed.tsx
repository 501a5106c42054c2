import type { ReactNode } from "react";
import { SessionProvider } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Role } from "#lib/auth/shapes.ts";

/** What a person sees of it; an administrator unless told. */
export function Signed({ role = "admin", children }: { role?: Role; children: ReactNode }) {
  const user = { id: "1", email: "ada@example.com", name: null, role };
  return (
    <SessionProvider session={{ user, workspace: { id: "1", name: "Acme", demo: false } }}>{children}</SessionProvider>
  );
}
