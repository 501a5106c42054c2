import { expect, test } from "vitest";
import { isFreeMail } from "#lib/matching/free-mail.ts";
import { defaultMatchKeys, normalized, reasonOf } from "#lib/matching/rules.ts";
import { matchKey } from "#lib/matching/shapes.ts";

test.each([
  ["exact", "Acme", "Acme"],
  ["exact", " Acme ", " Acme "],
  ["exact", "", ""],
  ["case_insensitive", "  ACME\u00a0", "acme"],
  ["case_insensitive", "ÄRZTE ØST", "ärzte øst"],
  ["case_insensitive", " \t\n", ""],
  ["domain", "acme.com", "acme.com"],
  ["domain", "https://www.Acme.com:8443/path?q=1#x", "acme.com"],
  ["domain", "WWW.ACME.COM.", "acme.com"],
  ["domain", "http://www.acme.com.:80/", "acme.com"],
  ["domain", "//acme.com/x", "acme.com"],
  ["domain", "someone@acme.com", "acme.com"],
  ["domain", "https://user:word@acme.com/", "acme.com"],
  ["domain", "sub.acme.com", "sub.acme.com"],
  ["domain", "www.gmail.com", ""],
  ["domain", "Someone@GMAIL.com", ""],
  ["domain", "https://", ""],
  ["domain", "  ", ""],
] as const)("%s makes %j %j", (how, value, expected) => {
  expect(normalized(value, how)).toBe(expected);
});

test("free mail is known, company domains are not on the list", () => {
  expect(["gmail.com", "outlook.com", "web.de", "qq.com", "proton.me"].every(isFreeMail)).toBe(true);
  expect(["acme.com", "mail.acme.com", "example.com", ""].some(isFreeMail)).toBe(false);
});

test("the default ladder holds only keys that a person put there on purpose, compared exactly", () => {
  expect(defaultMatchKeys()).toEqual([
    { organizationField: "id", accountField: "attributes.zendesk_organization_id", normalize: "exact" },
    { organizationField: "external_id", accountField: "externalId", normalize: "exact" },
  ]);
});

test.each([
  ["id", "attributes.zendesk id", true],
  ["organization_fields.crm_id", "externalId", true],
  ["organization_fields.", "externalId", false],
  ["tags", "externalId", false],
  ["name", "owner", false],
])("a key from %s to %s is accepted: %s", (organizationField, accountField, accepted) => {
  expect(matchKey.safeParse({ organizationField, accountField }).success).toBe(accepted);
});

test("reasons say in words which key decided, or what each key lacked", () => {
  const key = (organizationField: string, normalize: "exact" | "domain" = "exact") => ({
    organizationField,
    accountField: organizationField === "external_id" ? "externalId" : "attributes.site",
    normalize,
  });
  const asked = [
    { key: key("external_id"), values: [""] },
    { key: key("domain_names", "domain"), values: ["gmail.com"] },
    { key: key("domain_names", "domain"), values: ["acme.com", "gmail.com"] },
  ];
  const outcome = { state: "unmatched" as const, keyIndex: null, candidates: 0, decidedBy: null };
  expect(reasonOf(outcome, asked)).toBe(
    "Key 1: external_id is empty. Key 2: domain_names “gmail.com” is free mail. Key 3: no account has “acme.com” as its attribute site.",
  );
  expect(reasonOf(outcome, [])).toBe("No match key is set.");
  expect(reasonOf({ ...outcome, state: "ambiguous", keyIndex: 2, candidates: 3 }, asked)).toBe(
    "Key 3: domain_names “acme.com”, “gmail.com” is the attribute site in 3 accounts.",
  );
  expect(reasonOf({ ...outcome, state: "ignored", decidedBy: "ann@example.com" }, asked)).toBe(
    "ann@example.com said that this is not an account.",
  );
});
