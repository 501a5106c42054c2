import type { Metadata } from "next";
import { requirePageSession } from "#lib/auth/page-session.ts";
import { ConnectionScreen } from "./connection-screen.tsx";

export const metadata: Metadata = { title: "Connection" };

export default async function ConnectionPage({ params }: { params: Promise<{ connectionId: string }> }) {
  await requirePageSession();
  return <ConnectionScreen id={(await params).connectionId} />;
}
