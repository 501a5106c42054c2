/**
 * The names that Zendesk has for time zones (`GET /api/v2/time_zones`), each with the IANA's zone that it stands for. Zendesk
 * takes no other: https://developer.zendesk.com/api-reference/introduction/data-types/#time-zones. Of several that would fit a
 * zone equally well, the first is taken.
 */
export const zendeskZones: Readonly<Record<string, string>> = {
  "International Date Line West": "Etc/GMT+12",
  "American Samoa": "Pacific/Pago_Pago",
  "Midway Island": "Pacific/Midway",
  Hawaii: "Pacific/Honolulu",
  Alaska: "America/Juneau",
  "Pacific Time (US & Canada)": "America/Los_Angeles",
  Tijuana: "America/Tijuana",
  "Central America": "America/Guatemala",
  Arizona: "America/Phoenix",
  Chihuahua: "America/Chihuahua",
  Mazatlan: "America/Mazatlan",
  "Mountain Time (US & Canada)": "America/Denver",
  "Central Time (US & Canada)": "America/Chicago",
  "Mexico City": "America/Mexico_City",
  Guadalajara: "America/Mexico_City",
  Monterrey: "America/Monterrey",
  Saskatchewan: "America/Regina",
  Bogota: "America/Bogota",
  "Eastern Time (US & Canada)": "America/New_York",
  "Indiana (East)": "America/Indiana/Indianapolis",
  Lima: "America/Lima",
  Quito: "America/Lima",
  "Atlantic Time (Canada)": "America/Halifax",
  Caracas: "America/Caracas",
  Georgetown: "America/Guyana",
  "La Paz": "America/La_Paz",
  "Puerto Rico": "America/Puerto_Rico",
  Santiago: "America/Santiago",
  Newfoundland: "America/St_Johns",
  Brasilia: "America/Sao_Paulo",
  "Buenos Aires": "America/Argentina/Buenos_Aires",
  Greenland: "America/Godthab",
  Montevideo: "America/Montevideo",
  "Mid-Atlantic": "Atlantic/South_Georgia",
  Azores: "Atlantic/Azores",
  "Cape Verde Is.": "Atlantic/Cape_Verde",
  Casablanca: "Africa/Casablanca",
  London: "Europe/London",
  Edinburgh: "Europe/London",
  Dublin: "Europe/Dublin",
  Lisbon: "Europe/Lisbon",
  Monrovia: "Africa/Monrovia",
  UTC: "Etc/UTC",
  Berlin: "Europe/Berlin",
  Amsterdam: "Europe/Amsterdam",
  Belgrade: "Europe/Belgrade",
  Bratislava: "Europe/Bratislava",
  Brussels: "Europe/Brussels",
  Budapest: "Europe/Budapest",
  Copenhagen: "Europe/Copenhagen",
  Ljubljana: "Europe/Ljubljana",
  Madrid: "Europe/Madrid",
  Paris: "Europe/Paris",
  Prague: "Europe/Prague",
  Rome: "Europe/Rome",
  Sarajevo: "Europe/Sarajevo",
  Skopje: "Europe/Skopje",
  Stockholm: "Europe/Stockholm",
  Vienna: "Europe/Vienna",
  Warsaw: "Europe/Warsaw",
  "West Central Africa": "Africa/Algiers",
  Zagreb: "Europe/Zagreb",
  Zurich: "Europe/Zurich",
  Bern: "Europe/Zurich",
  Athens: "Europe/Athens",
  Bucharest: "Europe/Bucharest",
  Cairo: "Africa/Cairo",
  Harare: "Africa/Harare",
  Helsinki: "Europe/Helsinki",
  Jerusalem: "Asia/Jerusalem",
  Kaliningrad: "Europe/Kaliningrad",
  Kyiv: "Europe/Kiev",
  Pretoria: "Africa/Johannesburg",
  Riga: "Europe/Riga",
  Sofia: "Europe/Sofia",
  Tallinn: "Europe/Tallinn",
  Vilnius: "Europe/Vilnius",
  Riyadh: "Asia/Riyadh",
  Baghdad: "Asia/Baghdad",
  Moscow: "Europe/Moscow",
  "St. Petersburg": "Europe/Moscow",
  Istanbul: "Europe/Istanbul",
  Kuwait: "Asia/Kuwait",
  Minsk: "Europe/Minsk",
  Nairobi: "Africa/Nairobi",
  Volgograd: "Europe/Volgograd",
  Tehran: "Asia/Tehran",
  "Abu Dhabi": "Asia/Dubai",
  Baku: "Asia/Baku",
  Muscat: "Asia/Muscat",
  Samara: "Europe/Samara",
  Tbilisi: "Asia/Tbilisi",
  Yerevan: "Asia/Yerevan",
  Kabul: "Asia/Kabul",
  Tashkent: "Asia/Tashkent",
  Ekaterinburg: "Asia/Yekaterinburg",
  Karachi: "Asia/Karachi",
  Islamabad: "Asia/Karachi",
  Kolkata: "Asia/Kolkata",
  Chennai: "Asia/Kolkata",
  Mumbai: "Asia/Kolkata",
  "New Delhi": "Asia/Kolkata",
  "Sri Jayawardenepura": "Asia/Colombo",
  Kathmandu: "Asia/Kathmandu",
  Almaty: "Asia/Almaty",
  Astana: "Asia/Almaty",
  Dhaka: "Asia/Dhaka",
  Urumqi: "Asia/Urumqi",
  Rangoon: "Asia/Rangoon",
  Bangkok: "Asia/Bangkok",
  Hanoi: "Asia/Bangkok",
  Jakarta: "Asia/Jakarta",
  Krasnoyarsk: "Asia/Krasnoyarsk",
  Novosibirsk: "Asia/Novosibirsk",
  Singapore: "Asia/Singapore",
  Beijing: "Asia/Shanghai",
  Chongqing: "Asia/Chongqing",
  "Hong Kong": "Asia/Hong_Kong",
  Irkutsk: "Asia/Irkutsk",
  "Kuala Lumpur": "Asia/Kuala_Lumpur",
  Perth: "Australia/Perth",
  Taipei: "Asia/Taipei",
  Ulaanbaatar: "Asia/Ulaanbaatar",
  Seoul: "Asia/Seoul",
  Tokyo: "Asia/Tokyo",
  Osaka: "Asia/Tokyo",
  Sapporo: "Asia/Tokyo",
  Yakutsk: "Asia/Yakutsk",
  Adelaide: "Australia/Adelaide",
  Darwin: "Australia/Darwin",
  Brisbane: "Australia/Brisbane",
  Guam: "Pacific/Guam",
  Hobart: "Australia/Hobart",
  Melbourne: "Australia/Melbourne",
  Canberra: "Australia/Melbourne",
  "Port Moresby": "Pacific/Port_Moresby",
  Sydney: "Australia/Sydney",
  Vladivostok: "Asia/Vladivostok",
  Magadan: "Asia/Magadan",
  "New Caledonia": "Pacific/Noumea",
  "Solomon Is.": "Pacific/Guadalcanal",
  Srednekolymsk: "Asia/Srednekolymsk",
  Auckland: "Pacific/Auckland",
  Wellington: "Pacific/Auckland",
  Fiji: "Pacific/Fiji",
  Kamchatka: "Asia/Kamchatka",
  "Marshall Is.": "Pacific/Majuro",
  "Chatham Is.": "Pacific/Chatham",
  "Nuku'alofa": "Pacific/Tongatapu",
  Samoa: "Pacific/Apia",
  "Tokelau Is.": "Pacific/Fakaofo",
};

/** What is sent for a zone; `note` where that is the name of another zone with the same clock. Or why nothing is. */
export type ZoneFound = { zone: string; note?: string } | { refused: string };

/** What was found, by the text that was given: events give the same few again and again. */
const found = new Map<string, ZoneFound>();
const mostFound = 2_000;
/** No zone has a longer name. */
const longest = 64;

/**
 * Zendesk's name of a time zone that a trait gives by the IANA's name, or by Zendesk's own. For a zone of which Zendesk
 * has none, it is the name of another one whose clock shows the same on every day of the year.
 */
export function zendeskZone(given: string): ZoneFound {
  const before = found.get(given);
  if (before) return before;
  const zone = findZone(given);
  if (found.size >= mostFound) found.clear();
  if (given.length <= longest) found.set(given, zone);
  return zone;
}

function findZone(given: string): ZoneFound {
  if (Object.hasOwn(zendeskZones, given)) return { zone: given };
  const wanted = canonical(given);
  if (wanted === null) return { refused: `“${given}” is no time zone` };
  const own = namedZones().find(({ zone }) => zone === wanted);
  if (own) return { zone: own.name };
  const alike = sameClock(wanted);
  if (alike === null)
    return { refused: `Zendesk has no name for the time zone ${given}, nor for one with the same clock` };
  const note = `Zendesk has no name for ${given}: “${alike}” was taken, where the clock shows the same all year`;
  return { zone: alike, note };
}

/** Of the names whose clock shows the same, rather one of the same continent, then one of a time that is called the same. */
function sameClock(wanted: string): string | null {
  const own = clockOf(wanted);
  const likeness = (zone: string) => {
    const { continent, time } = clockOf(zone);
    return (continent === own.continent ? 2 : 0) + (time === own.time ? 1 : 0);
  };
  const seasons = offsetsIn(wanted, solstices);
  const [best] = namedZones()
    .filter((one) => one.seasons === seasons && clockOf(one.zone).year === own.year)
    .toSorted((one, other) => likeness(other.zone) - likeness(one.zone));
  return best?.name ?? null;
}

/** Whether a user of Zendesk's has this zone already, told by Zendesk's name or by the IANA's. */
export function hasZone(user: { time_zone?: unknown; iana_time_zone?: unknown }, zone: string): boolean {
  return (
    user.time_zone === zone || [user.time_zone, user.iana_time_zone].some((own) => isSameZone(own, zendeskZones[zone]))
  );
}

function isSameZone(one: unknown, other: string | undefined): boolean {
  if (typeof one !== "string" || other === undefined) return false;
  return one === other || canonical(one) === canonical(other);
}

const named: { name: string; zone: string; seasons: string }[] = [];

/** Zendesk's names, read at the first call. `seasons`: its offsets at the solstices, which most other zones do not share. */
function namedZones(): typeof named {
  if (named.length > 0) return named;
  const all = Object.entries(zendeskZones).map(([name, iana]) => {
    return { name, zone: canonical(iana) ?? iana, seasons: offsetsIn(iana, solstices) };
  });
  named.push(...all);
  return named;
}

interface Clock {
  continent: string;
  /** As people call it: Eastern Time. */
  time: string;
  /** Its offsets from UTC on each day. */
  year: string;
}

const clocks = new Map<string, Clock>();

function clockOf(zone: string): Clock {
  const known = clocks.get(zone);
  if (known) return known;
  const continent = zone.replace(/\/.*/, "");
  const clock = { continent, time: namesIn(zone, "longGeneric", days.slice(0, 1)), year: offsetsIn(zone, days) };
  clocks.set(zone, clock);
  return clock;
}

/** Noons: at which hour of the night a clock is changed matters to nobody. */
const noon = (month: number, day: number) => Date.UTC(2030, month, day, 12);
/** A year to come: its days follow the rules that hold by now, and the answer is the same whenever it is asked for. */
const days = Array.from({ length: 365 }, (_, day) => noon(0, 1 + day));
const solstices = [noon(5, 21), noon(11, 21)];

const offsetsIn = (zone: string, instants: readonly number[]) => namesIn(zone, "shortOffset", instants);

function namesIn(zone: string, timeZoneName: "shortOffset" | "longGeneric", instants: readonly number[]): string {
  const format = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName });
  return instants.map((instant) => format.format(instant).replace(/^[^,]*, /, "")).join();
}

/** Links such as US/Eastern come down to one name; null for what is no zone. */
function canonical(zone: string): string | null {
  // An offset ("+01:00") would be taken, too.
  if (zone.length > longest || !/^[A-Za-z]/.test(zone)) return null;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}
