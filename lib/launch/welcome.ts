import path from "node:path";
import type { KeptAdministrator } from "#lib/launch/kept.ts";

export type DemoState = "none" | "filling" | "filled";

/** The closing lines of a start: where to go and how to get in. A password is shown only when it was made just now. */
export function welcome(options: {
  address: string;
  administrator: KeptAdministrator;
  created: boolean;
  demo: DemoState;
  dataDir: string;
  isEmbedded: boolean;
  hasKeptPassword: boolean;
}): string {
  const { address, administrator, created, demo, dataDir, isEmbedded, hasKeptPassword } = options;
  const lines = ["", `Bellwether is ready: ${address}`, ""];
  if (created) lines.push(`  E-mail    ${administrator.email}`);
  if (created && administrator.file) lines.push(`  Password  ${administrator.password}`);
  if (created && !administrator.file) lines.push("  Password  the one of ADMIN_PASSWORD");
  if (administrator.file && hasKeptPassword) {
    lines.push(`  The first administrator's sign-in is kept in ${place(administrator.file)}.`);
  }
  if (demo === "filling") lines.push("  The demo workspace fills itself from a stand-in Zendesk within a minute.");
  if (demo === "filled") lines.push("  The demo workspace is fed by a stand-in Zendesk.");
  if (demo !== "none") lines.push("  DEMO=0 starts without it, with an empty workspace of your own.");
  lines.push(`  ${isEmbedded ? `Everything is kept in ${place(dataDir)}. ` : ""}Ctrl-C stops the server.`, "");
  return lines.join("\n");
}

function place(file: string): string {
  const short = path.relative(process.cwd(), file);
  return short.startsWith("..") ? file : short;
}
