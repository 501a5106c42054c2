import type { Metadata } from "next";
import { requirePageSession } from "#lib/auth/page-session.ts";
import { context } from "#lib/context.ts";
import { ConnectionWizard } from "./connection-wizard.tsx";

export const metadata: Metadata = { title: "Connect a Zendesk" };

export default async function NewConnectionPage() {
  await requirePageSession();
  return <ConnectionWizard oauth={context().config.zendesk.client !== null} />;
}
