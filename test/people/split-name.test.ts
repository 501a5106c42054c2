import { expect, it } from "vitest";
import { splitName } from "#lib/people/split-name.ts";

const cases: [name: string | null, first: string | null, last: string | null][] = [
  ["Homer Simpson", "Homer", "Simpson"],
  ["HomerSimpson", "HomerSimpson", null],
  ["Ludwig van der Rohe", "Ludwig", "van der Rohe"],
  ["Maria de la Cruz", "Maria", "de la Cruz"],
  ["Vincent van Gogh", "Vincent", "van Gogh"],
  ["van der Berg", null, "van der Berg"],
  ["Van Morrison", "Van", "Morrison"],
  ["  Marge   Bouvier Simpson ", "Marge", "Bouvier Simpson"],
  ["Åsa\u00a0Öberg", "Åsa", "Öberg"],
  ["李 小龍", "李", "小龍"],
  ["李\u3000小龍", "李", "小龍"],
  ["👩‍👩‍👧 Family", "👩‍👩‍👧", "Family"],
  ["", null, null],
  ["   ", null, null],
  [null, null, null],
];

it.each(cases)("splits %j at the first space", (name, firstName, lastName) => {
  expect(splitName(name)).toEqual({ firstName, lastName });
});
