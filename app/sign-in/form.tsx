"use client";

import { type FormEvent, useRef, useState } from "react";
import { Button } from "#app/_ui/button.tsx";
import { useLocale } from "#app/_ui/locale.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { failureOf } from "./failures.ts";
import { type SignInOutcome, signInAtIssuer, signInWithPassword } from "./request.ts";

type SignInFormProps = {
  /** A path of ours. */
  returnTo: string;
  /** What the button of the OpenID Connect issuer says; null where none is configured. */
  issuer: string | null;
  /** The failure with which the issuer's way came back here. */
  failure: string | null;
};

type Way = "password" | "issuer";

export function SignInForm({ returnTo, issuer, failure: firstFailure }: SignInFormProps) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [failure, setFailure] = useState(firstFailure);
  const [busy, setBusy] = useState<Way | null>(null);
  const form = useRef<HTMLFormElement>(null);

  async function go(way: Way, attempt: Promise<SignInOutcome>) {
    setBusy(way);
    setFailure(null);
    const outcome = await attempt;
    if ("next" in outcome) return window.location.assign(way === "password" ? returnTo : outcome.next);
    setBusy(null);
    setFailure(outcome.failure);
    form.current?.querySelector<HTMLInputElement>("input[type=password]")?.select();
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (busy === null) void go("password", signInWithPassword(email, password, returnTo));
  }

  return (
    // Should the page not have come alive yet, the password still goes into a body and never into the address.
    <form ref={form} method="post" onSubmit={submit} className="flex flex-col gap-4">
      {failure !== null && <Failure code={failure} issuer={issuer ?? "The issuer"} />}
      <TextField
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        required
        value={email}
        onChange={setEmail}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={setPassword}
      />
      <Button type="submit" variant="primary" busy={busy === "password"} disabled={busy !== null}>
        Sign in
      </Button>
      {issuer !== null && (
        <Button
          busy={busy === "issuer"}
          disabled={busy !== null}
          onClick={() => void go("issuer", signInAtIssuer(returnTo))}
        >
          Continue with {issuer}
        </Button>
      )}
    </form>
  );
}

function Failure({ code, issuer }: { code: string; issuer: string }) {
  const locale = useLocale();
  const clock = (instant: Date) => instant.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  const { title, remedy } = failureOf(code, issuer, clock);
  return (
    <Notice kind="failure" title={title} announce>
      {remedy}
    </Notice>
  );
}
