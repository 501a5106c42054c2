import type { ReactNode } from "react";
import { requirePageSession } from "#lib/auth/page-session.ts";
import { Commands } from "./_frame/commands.tsx";
import { FollowChanges } from "./_frame/follow-changes.tsx";
import { LeaveGuard } from "./_frame/leave-guard.tsx";
import { NavigationBar } from "./_frame/navigation.tsx";
import { SessionProvider } from "./_frame/session-context.tsx";

/** The frame of every signed-in screen: navigation at the left, the screen itself at the right (`Screen`). */
export default async function DashboardLayout({ children }: { children: ReactNode }) {
  const { user, workspace } = await requirePageSession();
  return (
    <SessionProvider session={{ user, workspace }}>
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-control focus:bg-floating focus:px-3 focus:py-2 focus:shadow-floating"
      >
        Skip to the content
      </a>
      <LeaveGuard>
        {/* Only the panes scroll: what is placed absolutely inside them must not make the document longer. */}
        <div className="relative flex h-dvh overflow-hidden">
          <NavigationBar />
          <div className="flex min-h-0 min-w-0 flex-1 flex-col">{children}</div>
        </div>
        <Commands />
      </LeaveGuard>
      <FollowChanges />
    </SessionProvider>
  );
}
