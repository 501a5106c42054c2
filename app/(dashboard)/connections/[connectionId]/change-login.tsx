"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { connectionQueries, patchConnection, reconnectConnection } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Section } from "#app/_ui/section.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { toast } from "#app/_ui/toast.tsx";
import type { Connection } from "#lib/connections/shapes.ts";
import { authOf, emptyLogin, LoginFields } from "../login-fields.tsx";

type ChangeLoginProps = { connection: Connection; disconnected: boolean };

/**
 * Another login for the same Zendesk account, at its new subdomain where it was renamed; where the login is another person's,
 * an administrator says that this is meant.
 */
export function ChangeLogin({ connection, disconnected }: ChangeLoginProps) {
  const client = useQueryClient();
  const [login, setLogin] = useState(emptyLogin);
  const [typed, setTyped] = useState<string | null>(null);
  const subdomain = typed ?? connection.subdomain;
  const change = useMutation({
    mutationFn: (confirmLogin: boolean) => {
      const body = {
        auth: authOf(login),
        ...(subdomain !== connection.subdomain && { subdomain }),
        ...(confirmLogin && { confirmLogin }),
      };
      return disconnected ? reconnectConnection(connection.id, body) : patchConnection(connection.id, body);
    },
    onSuccess: () => {
      setLogin(emptyLogin);
      setTyped(null);
      toast.success(disconnected ? "Reconnected: reading goes on where it stood." : "The login is changed.");
    },
    onSettled: () => client.invalidateQueries({ queryKey: connectionQueries.all() }),
  });
  const error = change.error instanceof ApiError ? change.error : null;
  const anotherPerson = error?.about("confirmLogin") != null;
  const placed = error?.details.some(({ path }) => path === "subdomain" || path.startsWith("auth"));
  return (
    <Section
      anchor="login"
      title={disconnected ? "Reconnect" : "Change login"}
      description="Tried at once; it must lead to the same Zendesk account. What was read stays."
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(false);
        }}
      >
        <TextField
          label="Subdomain"
          hint="Change it only if the account was renamed in Zendesk."
          value={subdomain}
          onChange={setTyped}
          error={error?.about("subdomain") ?? undefined}
          required
          autoComplete="off"
          spellCheck={false}
        />
        <LoginFields login={login} onChange={setLogin} error={error} />
        {change.error && !placed && !anotherPerson && <Notice kind="failure" announce title={reasonOf(change.error)} />}
        <div>
          <Button type="submit" busy={change.isPending}>
            {disconnected ? "Try the login and reconnect" : "Try and change the login"}
          </Button>
        </div>
      </form>
      <ConfirmDialog
        open={anotherPerson}
        onOpenChange={(open) => !open && change.reset()}
        title="This login is another person’s"
        confirmLabel="Use this login"
        onConfirm={() => change.mutateAsync(true)}
      >
        {error?.message} Reading goes on with what that person may see.
      </ConfirmDialog>
    </Section>
  );
}
