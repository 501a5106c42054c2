import type { Role } from "#lib/auth/shapes.ts";

export const roleOptions: { value: Role; label: string; detail: string }[] = [
  { value: "viewer", label: "Viewer", detail: "sees everything" },
  { value: "csm", label: "CSM", detail: "also starts syncs and decides matches" },
  { value: "admin", label: "Administrator", detail: "also connects, sets up and adds people" },
];
