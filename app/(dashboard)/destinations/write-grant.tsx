"use client";

import { oauthStart } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { Link } from "#app/_ui/link.tsx";
import type { Connection } from "#lib/connections/shapes.ts";
import { GrantWriting } from "./grant-writing.tsx";

export const isOpen = ({ state }: Connection) => state !== "disconnected" && state !== "archived";
/** Whether a destination can be set up on it. */
export const isWritable = (connection: Connection) => isOpen(connection) && connection.access === "read_write";

/** How a connection gets to be written to. */
export function WriteGrant({ connection }: { connection: Connection }) {
  const { id, subdomain, auth } = connection;
  if (!isOpen(connection)) return <Link href={`/connections/${id}?tab=settings`}>Open the connection</Link>;
  if (auth.type !== "oauth") return <GrantWriting connection={connection} />;
  return (
    // A navigation, not a fetch: Zendesk's own page follows.
    <Button type="button" size="sm" onClick={() => window.location.assign(oauthStart(subdomain, "read_write", id))}>
      Ask Zendesk for writing
    </Button>
  );
}
