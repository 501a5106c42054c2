"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { connectionQueries, createConnection, oauthStart } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { Gone } from "#app/_ui/empty.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Section } from "#app/_ui/section.tsx";
import { Select } from "#app/_ui/select.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { Screen } from "#app/(dashboard)/_frame/screen.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { authOf, emptyLogin, LoginFields } from "#app/(dashboard)/connections/login-fields.tsx";

const back = { href: "/connections", label: "Connections" };

const histories = [
  { value: "0", label: "Everything" },
  { value: "365", label: "The past year" },
  { value: "730", label: "The past two years" },
  { value: "1095", label: "The past three years" },
];

/** Connects a Zendesk: which one, how to sign in, how far back to read. The login is tried before anything is kept. */
export function ConnectionWizard({ oauth }: { oauth: boolean }) {
  const { user } = useSession();
  const router = useRouter();
  const client = useQueryClient();
  const [subdomain, setSubdomain] = useState("");
  const [name, setName] = useState("");
  const [login, setLogin] = useState(emptyLogin);
  const [historyDays, setHistoryDays] = useState("0");
  const connect = useMutation({
    mutationFn: () =>
      createConnection({
        kind: "zendesk",
        subdomain,
        ...(name.trim() ? { name: name.trim() } : {}),
        auth: authOf(login),
        access: "read",
        historyDays: Number(historyDays),
      }),
    onSuccess: async (connection) => {
      await client.invalidateQueries({ queryKey: connectionQueries.all() });
      router.push(`/connections/${connection.id}`);
    },
  });
  const error = connect.error instanceof ApiError ? connect.error : null;
  const placed = error?.details.some(({ path }) => path === "subdomain" || path.startsWith("auth"));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    connect.mutate();
  };

  if (user.role !== "admin") {
    return (
      <Screen title="Connect a Zendesk" back={back}>
        <Gone title="Administrators connect a Zendesk" action={<Link href="/connections">All connections</Link>} />
      </Screen>
    );
  }
  return (
    <Screen title="Connect a Zendesk" back={back}>
      <form onSubmit={submit} className="flex max-w-2xl flex-col gap-6">
        <p className="text-muted">
          Only reading is asked for. The login is tried at once; the first sync starts when it is right, and its
          progress shows on the next screen.
        </p>
        <Section title="Which Zendesk">
          <div className="flex flex-col gap-4">
            <TextField
              label="Subdomain"
              hint="The first part of the address: acme of acme.zendesk.com. A pasted address will do."
              value={subdomain}
              onChange={setSubdomain}
              error={error?.about("subdomain") ?? undefined}
              required
              autoComplete="off"
              spellCheck={false}
            />
            <TextField label="Name here" hint="Optional; the subdomain otherwise." value={name} onChange={setName} />
            <Select
              label="How far back tickets are read"
              value={historyDays}
              onChange={setHistoryDays}
              options={histories}
              hint="Metrics and timelines reach back as far. It can be made longer later; the gap is then filled."
            />
          </div>
        </Section>
        {oauth && (
          <Section title="Sign in at Zendesk" description="As an administrator, in a Zendesk window; nothing to copy.">
            <div>
              <Button
                type="button"
                variant="primary"
                disabled={!subdomain.trim()}
                // A navigation, not a fetch: Zendesk's own page follows.
                onClick={() => window.location.assign(oauthStart(subdomain.trim(), "read"))}
              >
                Sign in with Zendesk
              </Button>
            </div>
          </Section>
        )}
        <Section title={oauth ? "Or with a login of its own" : "How to sign in"}>
          <LoginFields login={login} onChange={setLogin} error={error} />
        </Section>
        {connect.error && !placed && <Notice kind="failure" announce title={reasonOf(connect.error)} />}
        <div className="flex gap-2">
          <Button type="submit" variant={oauth ? "secondary" : "primary"} busy={connect.isPending}>
            Try the login and connect
          </Button>
          <Button type="button" onClick={() => router.push("/connections")}>
            Cancel
          </Button>
        </div>
      </form>
    </Screen>
  );
}
