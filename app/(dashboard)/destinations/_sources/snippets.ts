export const snippetKinds = ["segment", "rudderstack", "customerio", "curl"] as const;
export type SnippetKind = (typeof snippetKinds)[number];

export const snippetNames: Record<SnippetKind, string> = {
  segment: "Segment",
  rudderstack: "RudderStack",
  customerio: "Customer.io",
  curl: "curl",
};

const calls = `analytics.identify({
  userId: "crm-0412",
  traits: { email: "ada@example.com", name: "Ada Lovelace" },
});`;

/** Ready to run: the published package of each, pointed at this product; nothing else of a program changes. */
export function snippet(kind: SnippetKind, host: string, writeKey: string): string {
  switch (kind) {
    case "segment":
      return `// npm install @segment/analytics-node
import { Analytics } from "@segment/analytics-node";

const analytics = new Analytics({ writeKey: "${writeKey}", host: "${host}" });

${calls}
await analytics.closeAndFlush();`;
    case "customerio":
      return `// npm install @customerio/cdp-analytics-node
import { Analytics } from "@customerio/cdp-analytics-node";

const analytics = new Analytics({ writeKey: "${writeKey}", host: "${host}" });

${calls}
await analytics.closeAndFlush();`;
    case "rudderstack":
      return `// npm install @rudderstack/rudder-sdk-node
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const analytics = new RudderAnalytics("${writeKey}", { dataPlaneUrl: "${host}" });

${calls}
await analytics.flush();`;
    case "curl":
      return `curl ${host}/v1/identify \\
  --user ${writeKey}: \\
  --header 'content-type: application/json' \\
  --data '{
    "userId": "crm-0412",
    "traits": { "email": "ada@example.com", "name": "Ada Lovelace" }
  }'`;
  }
}
