import type { Metadata, Viewport } from "next";
import { headers } from "next/headers";
import type { ReactNode } from "react";
import { localeOf } from "./_ui/accept-language.ts";
import { themeScript } from "./_ui/theme-script.ts";
import "./globals.css";
import { Providers } from "./providers.tsx";

export const metadata: Metadata = {
  title: { default: "Bellwether", template: "%s · Bellwether" },
  description: "The health of customers, from their support tickets.",
  robots: { index: false, follow: false },
};

export const viewport: Viewport = { colorScheme: "light dark" };

export default async function RootLayout({ children }: { children: ReactNode }) {
  const request = await headers();
  return (
    // The theme script writes `data-theme` before React takes over.
    <html lang="en" suppressHydrationWarning>
      <head>
        {/* Browsers hide a script's nonce from the document, so React would see a difference. */}
        <script
          nonce={request.get("x-nonce") ?? undefined}
          suppressHydrationWarning
          // biome-ignore lint/security/noDangerouslySetInnerHtml: our own constant text
          dangerouslySetInnerHTML={{ __html: themeScript }}
        />
      </head>
      <body>
        <Providers locale={localeOf(request.get("accept-language"))}>{children}</Providers>
      </body>
    </html>
  );
}
