"use client";

import type { ApiError } from "#app/_queries/client.ts";
import { Notice } from "#app/_ui/notice.tsx";
import { Segmented } from "#app/_ui/segmented.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import type { ConnectionAuth } from "#lib/connections/shapes.ts";

export interface Login {
  type: ConnectionAuth["type"];
  clientId: string;
  clientSecret: string;
  email: string;
  token: string;
}

export const emptyLogin: Login = {
  type: "oauth_client_credentials",
  clientId: "",
  clientSecret: "",
  email: "",
  token: "",
};

/** The part of a login that its kind needs. */
export function authOf(login: Login): ConnectionAuth {
  if (login.type === "api_token") return { type: login.type, email: login.email.trim(), token: login.token.trim() };
  return { type: login.type, clientId: login.clientId.trim(), clientSecret: login.clientSecret.trim() };
}

type LoginFieldsProps = { login: Login; onChange: (login: Login) => void; error: ApiError | null };

/** How the product signs in at Zendesk without a person: an OAuth client of the account, or the token of old. */
export function LoginFields({ login, onChange, error }: LoginFieldsProps) {
  const field = (key: keyof Login) => ({
    value: login[key],
    onChange: (value: string) => onChange({ ...login, [key]: value }),
    error: error?.about(`auth.${key}`) ?? undefined,
    required: true,
    autoComplete: "off",
    spellCheck: false,
  });
  return (
    <div className="flex flex-col gap-4">
      <Segmented
        label="How to sign in"
        value={login.type}
        onChange={(type) => onChange({ ...login, type })}
        options={[
          { value: "oauth_client_credentials", label: "OAuth client" },
          { value: "api_token", label: "API token" },
        ]}
      />
      {login.type === "oauth_client_credentials" ? (
        <>
          <p className="text-table text-muted">
            In Zendesk’s Admin Center, under Apps and integrations → APIs → OAuth clients, an administrator makes a
            confidential client. It acts as the person who made it, so that person must be an administrator.
          </p>
          <TextField label="Client identifier" {...field("clientId")} />
          <TextField label="Client secret" type="password" {...field("clientSecret")} />
        </>
      ) : (
        <>
          <Notice kind="warning" title="API tokens end on 30 April 2027">
            Zendesk makes no new ones since 27 October 2026 and stops all of them on that day. Prefer an OAuth client.
          </Notice>
          <TextField label="E-mail of the administrator" type="email" {...field("email")} />
          <TextField label="API token" type="password" {...field("token")} />
        </>
      )}
      {error?.about("auth") && <Notice kind="failure" announce title={error.about("auth") ?? ""} />}
    </div>
  );
}
