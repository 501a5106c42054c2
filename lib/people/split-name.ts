export interface SplitName {
  firstName: string | null;
  lastName: string | null;
}

/** Small words that open a family name: nobody is called by them. */
const particles =
  /^(da|das|de|de la|de las|de los|degli|dei|del|della|den|der|di|do|dos|du|la|le|ten|ter|van|van de|van den|van der|vom|von|von der|zu|zum|zur|al|el|bin|ibn)\s/;

/**
 * Zendesk has one name; it is split at the first space (O-26). One word is a first name, and what follows it, particles
 * ("van der", "de la") included, the last name. A name that begins with a particle in lower case is a last name alone.
 */
export function splitName(name: string | null): SplitName {
  const words = name?.trim() ?? "";
  if (words === "") return { firstName: null, lastName: null };
  if (particles.test(words)) return { firstName: null, lastName: words };
  const [, first = words, last = null] = /^(\S+)\s+(.+)$/s.exec(words) ?? [];
  return { firstName: first, lastName: last };
}
