import type { Metadata } from "next";
import { requirePageSession } from "#lib/auth/page-session.ts";
import { Account } from "./account.tsx";

export const metadata: Metadata = { title: "Account" };

export default async function AccountPage({ params }: { params: Promise<{ accountId: string }> }) {
  await requirePageSession();
  return <Account id={(await params).accountId} />;
}
