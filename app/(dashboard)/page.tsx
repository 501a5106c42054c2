import type { Metadata } from "next";
import { Screen } from "#app/(dashboard)/_frame/screen.tsx";
import { Portfolio } from "#app/(dashboard)/_portfolio/portfolio.tsx";
import { requirePageSession } from "#lib/auth/page-session.ts";

export const metadata: Metadata = { title: "My portfolio" };

export default async function PortfolioPage() {
  await requirePageSession();
  return (
    <Screen title="My portfolio" layout="fill">
      <Portfolio />
    </Screen>
  );
}
