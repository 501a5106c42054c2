import type { Metadata } from "next";
import { requirePageSession } from "#lib/auth/page-session.ts";
import { LiveEvents } from "./live-events.tsx";

export const metadata: Metadata = { title: "Live events" };

export default async function EventsPage() {
  await requirePageSession();
  return <LiveEvents />;
}
