import type { Config } from "#lib/config.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/**
 * The address that Zendesk is to call, or null where this product has none that Zendesk could reach. A stand-in or a proxy on
 * the same machine reaches the port itself.
 */
export function endpointOf(config: Pick<Config, "server" | "zendesk">, scope: Scope): string | null {
  const { publicUrl, host, port } = config.server;
  const base = publicUrl ?? (config.zendesk.isDefaultUrl ? null : `http://${reachable(host)}:${port}`);
  return base && `${base}/api/webhooks/zendesk/${scope.connectionId}`;
}

/** An address to listen on everywhere is none to call. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
