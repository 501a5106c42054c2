"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Upload } from "lucide-react";
import { useRef } from "react";
import { accountQueries, importAccounts } from "#app/_queries/accounts.ts";
import { ApiError } from "#app/_queries/client.ts";
import { connectionQueries } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { useCount } from "#app/_ui/num.tsx";
import { Section } from "#app/_ui/section.tsx";
import type { BulkAnswer } from "#lib/accounts/shapes.ts";

/** Accounts come in by CSV here, or through the API. */
export function AccountsImport() {
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const upload = useMutation({
    mutationFn: importAccounts,
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: accountQueries.all() }),
        client.invalidateQueries({ queryKey: ["owners"] }),
        client.invalidateQueries({ queryKey: connectionQueries.all() }),
      ]),
  });
  return (
    <div className="flex max-w-2xl flex-col gap-4">
      <Section title="Import accounts" description="The companies your team looks after.">
        <p>
          A CSV file in UTF-8 whose header begins with <code>external_id,name,owner_email</code>; every other column
          becomes an attribute. A row updates the account with its external id, or adds one. Rows that are wrong are
          named with their line; the rest go in.
        </p>
        <pre className="mt-2 overflow-x-auto bg-sunken p-3 text-table">
          {"external_id,name,owner_email,plan,region\ncrm-0412,Acme GmbH,dana@example.com,Pro,EMEA"}
        </pre>
        <input
          ref={input}
          type="file"
          accept=".csv,text/csv"
          className="sr-only"
          tabIndex={-1}
          aria-label="CSV file of accounts"
          onChange={(event) => {
            const file = event.target.files?.[0];
            if (file) upload.mutate(file);
            event.target.value = "";
          }}
        />
        <div className="mt-4">
          <Button variant="primary" busy={upload.isPending} onClick={() => input.current?.click()}>
            <Upload aria-hidden />
            Choose a CSV file
          </Button>
        </div>
      </Section>
      {upload.error && <Refusal error={upload.error} />}
      {upload.data && <Result answer={upload.data} />}
    </div>
  );
}

function Refusal({ error }: { error: Error }) {
  const details = error instanceof ApiError ? error.details : [];
  return (
    <Notice kind="failure" announce title={reasonOf(error)}>
      {details.map(({ path, message }) => (
        <p key={path}>{message}</p>
      ))}
      <p>Nothing was imported.</p>
    </Notice>
  );
}

function Result({ answer }: { answer: BulkAnswer }) {
  const { created, updated, unchanged, rejected } = answer;
  const count = useCount();
  return (
    <Notice
      kind={rejected.length > 0 ? "warning" : "info"}
      announce
      title={`${count(created)} created, ${count(updated)} updated, ${count(unchanged)} unchanged, ${count(rejected.length)} rejected`}
    >
      {rejected.length > 0 && (
        <ul className="max-h-64 overflow-y-auto">
          {rejected.map(({ index, line, externalId, message }) => (
            <li key={index}>
              {line === undefined ? `Row ${index + 1}` : `Line ${line}`}
              {externalId && ` (${externalId})`}: {message}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
