/** Zendesk names time zones by a place or a people's name for them; each stands for one of the IANA's. */
const byZendesk: Record<string, string> = {
  "International Date Line West": "Etc/GMT+12",
  "American Samoa": "Pacific/Pago_Pago",
  "Midway Island": "Pacific/Midway",
  Hawaii: "Pacific/Honolulu",
  Alaska: "America/Juneau",
  "Pacific Time (US & Canada)": "America/Los_Angeles",
  Tijuana: "America/Tijuana",
  Arizona: "America/Phoenix",
  Chihuahua: "America/Chihuahua",
  Mazatlan: "America/Mazatlan",
  "Mountain Time (US & Canada)": "America/Denver",
  "Central America": "America/Guatemala",
  "Central Time (US & Canada)": "America/Chicago",
  "Mexico City": "America/Mexico_City",
  Monterrey: "America/Monterrey",
  Saskatchewan: "America/Regina",
  Bogota: "America/Bogota",
  "Eastern Time (US & Canada)": "America/New_York",
  "Indiana (East)": "America/Indiana/Indianapolis",
  Lima: "America/Lima",
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
  Dublin: "Europe/Dublin",
  Lisbon: "Europe/Lisbon",
  London: "Europe/London",
  Monrovia: "Africa/Monrovia",
  UTC: "Etc/UTC",
  Amsterdam: "Europe/Amsterdam",
  Belgrade: "Europe/Belgrade",
  Berlin: "Europe/Berlin",
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
  Baghdad: "Asia/Baghdad",
  Istanbul: "Europe/Istanbul",
  Kuwait: "Asia/Kuwait",
  Minsk: "Europe/Minsk",
  Moscow: "Europe/Moscow",
  Nairobi: "Africa/Nairobi",
  Riyadh: "Asia/Riyadh",
  Volgograd: "Europe/Volgograd",
  Tehran: "Asia/Tehran",
  "Abu Dhabi": "Asia/Dubai",
  Baku: "Asia/Baku",
  Muscat: "Asia/Muscat",
  Samara: "Europe/Samara",
  Tbilisi: "Asia/Tbilisi",
  Yerevan: "Asia/Yerevan",
  Kabul: "Asia/Kabul",
  Ekaterinburg: "Asia/Yekaterinburg",
  Karachi: "Asia/Karachi",
  Tashkent: "Asia/Tashkent",
  Kolkata: "Asia/Kolkata",
  "Sri Jayawardenepura": "Asia/Colombo",
  Kathmandu: "Asia/Kathmandu",
  Almaty: "Asia/Almaty",
  Dhaka: "Asia/Dhaka",
  Urumqi: "Asia/Urumqi",
  Rangoon: "Asia/Rangoon",
  Bangkok: "Asia/Bangkok",
  Jakarta: "Asia/Jakarta",
  Krasnoyarsk: "Asia/Krasnoyarsk",
  Novosibirsk: "Asia/Novosibirsk",
  Beijing: "Asia/Shanghai",
  Chongqing: "Asia/Chongqing",
  "Hong Kong": "Asia/Hong_Kong",
  Irkutsk: "Asia/Irkutsk",
  "Kuala Lumpur": "Asia/Kuala_Lumpur",
  Perth: "Australia/Perth",
  Singapore: "Asia/Singapore",
  Taipei: "Asia/Taipei",
  Ulaanbaatar: "Asia/Ulaanbaatar",
  Seoul: "Asia/Seoul",
  Tokyo: "Asia/Tokyo",
  Yakutsk: "Asia/Yakutsk",
  Adelaide: "Australia/Adelaide",
  Darwin: "Australia/Darwin",
  Brisbane: "Australia/Brisbane",
  Guam: "Pacific/Guam",
  Hobart: "Australia/Hobart",
  Melbourne: "Australia/Melbourne",
  "Port Moresby": "Pacific/Port_Moresby",
  Sydney: "Australia/Sydney",
  Vladivostok: "Asia/Vladivostok",
  Magadan: "Asia/Magadan",
  "New Caledonia": "Pacific/Noumea",
  "Solomon Is.": "Pacific/Guadalcanal",
  Srednekolymsk: "Asia/Srednekolymsk",
  Auckland: "Pacific/Auckland",
  Fiji: "Pacific/Fiji",
  Kamchatka: "Asia/Kamchatka",
  "Marshall Is.": "Pacific/Majuro",
  "Chatham Is.": "Pacific/Chatham",
  "Nuku'alofa": "Pacific/Tongatapu",
  Samoa: "Pacific/Apia",
  "Tokelau Is.": "Pacific/Fakaofo",
};

export type ZoneFound = { zone: string } | { refused: string };

/** Zendesk's name of a time zone that a trait gives by the IANA's name, or by Zendesk's own. */
export function zendeskZone(given: string): ZoneFound {
  if (Object.hasOwn(byZendesk, given)) return { zone: given };
  const wanted = canonical(given);
  if (wanted === null) return { refused: `“${given}” is no time zone` };
  const [zone] = Object.entries(byZendesk).find(([, iana]) => canonical(iana) === wanted) ?? [];
  return zone === undefined ? { refused: `Zendesk has no name for the time zone ${given}` } : { zone };
}

/** Whether a user of Zendesk's has this zone already, told by Zendesk's name or by the IANA's. */
export function hasZone(user: { time_zone?: unknown; iana_time_zone?: unknown }, zone: string): boolean {
  return (
    user.time_zone === zone || [user.time_zone, user.iana_time_zone].some((own) => isSameZone(own, byZendesk[zone]))
  );
}

function isSameZone(one: unknown, other: string | undefined): boolean {
  if (typeof one !== "string" || other === undefined) return false;
  return one === other || canonical(one) === canonical(other);
}

/** Links such as US/Eastern come down to one name; null for what is no zone. */
function canonical(zone: string): string | null {
  // An offset ("+01:00") would be taken, too.
  if (!/^[A-Za-z]/.test(zone)) return null;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}
