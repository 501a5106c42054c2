import { Unknown } from "#app/_ui/unknown.tsx";
import type { AccountAnswer } from "#lib/accounts/shapes.ts";

/** Who the account is: its id at home, who looks after it, and what the CRM says of it. */
export function AccountFacts({ account }: { account: AccountAnswer }) {
  const { owner } = account;
  const facts = [
    { term: "External id", value: account.externalId },
    {
      term: "Owner",
      value: owner ? (
        <span title={owner.email}>{owner.name ?? owner.email}</span>
      ) : (
        <Unknown reason="Nobody owns this account" />
      ),
    },
    ...Object.entries(account.attributes).map(([term, value]) => ({ term, value })),
  ];
  return (
    <dl className="flex min-w-0 flex-1 basis-80 flex-wrap gap-x-4 gap-y-1 text-table">
      {facts.map(({ term, value }) => (
        <div key={term} className="flex min-w-0 gap-1.5">
          <dt className="shrink-0 text-muted">{term}</dt>
          <dd className="truncate">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
