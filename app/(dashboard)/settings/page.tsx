import type { Metadata } from "next";
import { requirePageSession } from "#lib/auth/page-session.ts";
import { Settings } from "./settings.tsx";

export const metadata: Metadata = { title: "Settings" };

export default async function SettingsPage() {
  await requirePageSession();
  return <Settings />;
}
