import type { Metadata } from "next";
import { requirePageSession } from "#lib/auth/page-session.ts";
import { DestinationWizard } from "./destination-wizard.tsx";

export const metadata: Metadata = { title: "Add a destination" };

export default async function NewDestinationPage() {
  await requirePageSession();
  return <DestinationWizard />;
}
