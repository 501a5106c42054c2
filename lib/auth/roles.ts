import { type Role, roles } from "#lib/auth/shapes.ts";

/** Whether somebody with the role `have` may do what needs `need`. A role that is not ours allows nothing. */
export function allows(have: Role, need: Role): boolean {
  return roles.indexOf(have) >= roles.indexOf(need);
}
