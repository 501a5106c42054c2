"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { connectionQueries, patchConnection } from "#app/_queries/connections.ts";
import { destinationQueries } from "#app/_queries/destinations.ts";
import { Button } from "#app/_ui/button.tsx";
import { Dialog } from "#app/_ui/dialog.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { authOf, emptyLogin, LoginFields } from "#app/(dashboard)/connections/login-fields.tsx";
import type { Connection } from "#lib/connections/shapes.ts";

/** Asks for the write grant: the login is given once more, and tried with it. */
export function GrantWriting({ connection }: { connection: Connection }) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [login, setLogin] = useState(emptyLogin);
  const grant = useMutation({
    mutationFn: () => patchConnection(connection.id, { access: "read_write", auth: authOf(login) }),
    onSuccess: async () => {
      setOpen(false);
      toast.success(`${connection.name} may be written to.`);
      await Promise.all([
        client.invalidateQueries({ queryKey: connectionQueries.all() }),
        client.invalidateQueries({ queryKey: destinationQueries.all() }),
      ]);
    },
  });
  const error = grant.error instanceof ApiError ? grant.error : null;
  const placed = error?.details.some(({ path }) => path.startsWith("auth"));
  return (
    <Dialog
      title={`Grant writing to ${connection.subdomain}.zendesk.com`}
      description="The login is tried at once, now with the right to write. Reading goes on as before."
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Button type="button" size="sm">
          Grant writing…
        </Button>
      }
    >
      <div className="flex flex-col gap-4">
        <LoginFields login={login} onChange={setLogin} error={error} />
        {grant.error && !placed && <Notice kind="failure" announce title={reasonOf(grant.error)} />}
        <div>
          <Button type="button" variant="primary" busy={grant.isPending} onClick={() => grant.mutate()}>
            Try the login
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
