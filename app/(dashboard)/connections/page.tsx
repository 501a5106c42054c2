import type { Metadata } from "next";
import { requirePageSession } from "#lib/auth/page-session.ts";
import { Connections } from "./connections.tsx";

export const metadata: Metadata = { title: "Connections" };

export default async function ConnectionsPage() {
  await requirePageSession();
  return <Connections />;
}
