import type { Random } from "../world/random.ts";

/** Names of our own making. Domains end in `.example`, which nobody can own. */

const beginnings = [
  "Alder",
  "Amber",
  "Ash",
  "Bracken",
  "Briar",
  "Brindle",
  "Calder",
  "Cinder",
  "Clover",
  "Copper",
  "Corven",
  "Dapple",
  "Drift",
  "Dunmer",
  "Elder",
  "Ember",
  "Fallow",
  "Fenwick",
  "Flint",
  "Garnet",
  "Gorse",
  "Harrow",
  "Hazel",
  "Heron",
  "Hollin",
  "Juniper",
  "Kestrel",
  "Larken",
  "Linden",
  "Marl",
  "Merrow",
  "Mistle",
  "Nettle",
  "Oaken",
  "Orrin",
  "Otter",
  "Pebble",
  "Quill",
  "Raven",
  "Rowan",
  "Saffron",
  "Sedge",
  "Sorrel",
  "Tamar",
  "Teasel",
  "Thistle",
  "Umber",
  "Vesper",
  "Wander",
  "Willow",
  "Wren",
  "Yarrow",
] as const;
const endings = [
  "brook",
  "combe",
  "dale",
  "fold",
  "gate",
  "haven",
  "holm",
  "lea",
  "mere",
  "moor",
  "ridge",
  "stead",
] as const;
const trades = [
  "Foods",
  "Dental",
  "Freight",
  "Clinics",
  "Hotels",
  "Retail",
  "Energy",
  "Studios",
  "Care",
  "Motors",
  "Schools",
  "Couriers",
  "Bakeries",
  "Fitness",
  "Facilities",
  "Security",
  "Nurseries",
  "Pharmacies",
] as const;
const firstNames = [
  "Aino",
  "Amara",
  "Anselm",
  "Bea",
  "Bram",
  "Carla",
  "Chidi",
  "Dana",
  "Dilan",
  "Edda",
  "Elif",
  "Emil",
  "Farid",
  "Freya",
  "Gita",
  "Hana",
  "Hugo",
  "Ida",
  "Imre",
  "Ines",
  "Jonas",
  "Jun",
  "Kaya",
  "Kofi",
  "Lea",
  "Linus",
  "Maja",
  "Marek",
  "Mina",
  "Nadia",
  "Nils",
  "Noor",
  "Omar",
  "Petra",
  "Priya",
  "Quentin",
  "Rafa",
  "Rosa",
  "Sami",
  "Selma",
  "Tariq",
  "Thea",
  "Tomas",
  "Uma",
  "Vera",
  "Wanda",
  "Xenia",
  "Yara",
  "Yusuf",
  "Zoe",
] as const;
const lastNames = [
  "Abara",
  "Ashdown",
  "Beck",
  "Birkeland",
  "Castell",
  "Corrado",
  "Dahl",
  "Demir",
  "Ekwueme",
  "Falk",
  "Farrow",
  "Gallo",
  "Haddad",
  "Hartog",
  "Ilves",
  "Ito",
  "Jansson",
  "Kader",
  "Kowal",
  "Lindqvist",
  "Lobo",
  "Maren",
  "Mbeki",
  "Novak",
  "Okafor",
  "Olsen",
  "Pavic",
  "Quint",
  "Rahman",
  "Rossi",
  "Santos",
  "Sato",
  "Sundar",
  "Tamm",
  "Toledo",
  "Urban",
  "Varga",
  "Weiss",
  "Yilmaz",
  "Zeman",
] as const;

/** A company's name that has not been given before. */
export function companyName(random: Random, taken: Set<string>): string {
  for (;;) {
    const name = `${random.pick(beginnings)}${random.pick(endings)} ${random.pick(trades)}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

export function personName(random: Random): string {
  return `${random.pick(firstNames)} ${random.pick(lastNames)}`;
}

/** `Alderbrook Foods` → `alderbrook-foods.example` */
export function domainOf(name: string): string {
  return `${slug(name)}.example`;
}

export function emailOf(name: string, domain: string): string {
  return `${slug(name).replaceAll("-", ".")}@${domain}`;
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
