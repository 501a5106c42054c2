import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { BrandMark } from "#app/_ui/brand.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { pageSession } from "#lib/auth/page-session.ts";
import { context } from "#lib/context.ts";
import { SignInForm } from "./form.tsx";
import { returnPath } from "./return-path.ts";

export const metadata: Metadata = { title: "Sign in" };

type SignInPageProps = { searchParams: Promise<Record<string, string | string[] | undefined>> };

export default async function SignInPage({ searchParams }: SignInPageProps) {
  const { callbackUrl, error } = await searchParams;
  const returnTo = returnPath(callbackUrl);
  // Without a database nobody is signed in; the form then says what is wrong.
  const session = await pageSession().catch(() => null);
  if (session !== null) redirect(returnTo);

  const { config } = context();
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-96 flex-col justify-center gap-6 px-6 py-12">
      <header>
        <p className="mb-4 flex items-center gap-2 text-body font-semibold">
          <BrandMark className="size-7" />
          Bellwether
        </p>
        <h1 className="text-title font-semibold">Sign in</h1>
      </header>
      {config.demo && (
        <Notice kind="info" title="This is the demo.">
          The e-mail address and the password stand where <code>npm start</code> runs.
        </Notice>
      )}
      <SignInForm
        returnTo={returnTo}
        issuer={config.oidc?.name ?? null}
        failure={typeof error === "string" ? error : null}
      />
    </main>
  );
}
