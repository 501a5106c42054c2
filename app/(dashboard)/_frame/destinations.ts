import { Cable, type LucideIcon, Send, Settings, Users } from "lucide-react";

export type Destination = { href: string; label: string; icon: LucideIcon; group: "work" | "setup" };

/** The navigation: only what exists. */
export const destinations: readonly Destination[] = [
  { href: "/", label: "My portfolio", icon: Users, group: "work" },
  { href: "/connections", label: "Connections", icon: Cable, group: "setup" },
  { href: "/destinations", label: "Destinations", icon: Send, group: "setup" },
  { href: "/settings", label: "Settings", icon: Settings, group: "setup" },
];

/** Whether a path is the destination or lies under it; accounts lie under the portfolio. */
export function isCurrent({ href }: Destination, path: string): boolean {
  if (href === "/") return path === "/" || path.startsWith("/accounts");
  return path === href || path.startsWith(`${href}/`);
}
