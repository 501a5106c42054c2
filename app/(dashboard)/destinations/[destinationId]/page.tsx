import type { Metadata } from "next";
import { requirePageSession } from "#lib/auth/page-session.ts";
import { DestinationScreen } from "./destination-screen.tsx";

export const metadata: Metadata = { title: "Destination" };

export default async function DestinationPage({ params }: { params: Promise<{ destinationId: string }> }) {
  await requirePageSession();
  return <DestinationScreen id={(await params).destinationId} />;
}
