import type { Metadata } from "next";
import { requirePageSession } from "#lib/auth/page-session.ts";
import { Destinations } from "./destinations.tsx";

export const metadata: Metadata = { title: "Destinations" };

export default async function DestinationsPage() {
  await requirePageSession();
  return <Destinations />;
}
