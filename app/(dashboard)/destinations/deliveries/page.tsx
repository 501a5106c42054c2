import type { Metadata } from "next";
import { requirePageSession } from "#lib/auth/page-session.ts";
import { Deliveries } from "./deliveries.tsx";

export const metadata: Metadata = { title: "Deliveries" };

export default async function DeliveriesPage() {
  await requirePageSession();
  return <Deliveries />;
}
