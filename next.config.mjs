/** Headers that hold for every answer. The content security policy carries a nonce and is set per request in proxy.ts. */
const securityHeaders = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "X-Frame-Options", value: "DENY" },
  { key: "Referrer-Policy", value: "strict-origin-when-cross-origin" },
  { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
];

/** @type {import("next").NextConfig} */
export default {
  output: "standalone",
  poweredByHeader: false,
  productionBrowserSourceMaps: false,
  devIndicators: false,
  serverExternalPackages: ["pg", "pino", "prom-client"],
  // Without the optimizer GET /_next/image answers 404 (row 111); our pictures are small and our own.
  images: { unoptimized: true },
  // A lock file in a parent folder must not move the root of the build.
  outputFileTracingRoot: import.meta.dirname,
  turbopack: { root: import.meta.dirname },
  // Types are judged by `npm run check`: a start must not wait for them, nor fail where development packages are absent.
  typescript: { ignoreBuildErrors: true },
  headers: async () => [{ source: "/:path*", headers: securityHeaders }],
};
