import http from "node:http";
import { plainRoute } from "#app/api/handler.ts";
import { GET as live } from "#app/api/health/live/route.ts";
import { GET as ready } from "#app/api/health/ready/route.ts";
import { startJobs } from "#lib/jobs/process.ts";
import { stopBefore } from "#lib/jobs/signals.ts";

/** A server without the framework: health, one request that lasts, one that is never answered, the background work, and the framework's way of ending. */
const slow = plainRoute("slow", async () => {
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return Response.json({ done: true });
});
const endless = plainRoute("endless", () => new Promise<Response>(() => {}));
const routes: Record<string, typeof slow> = {
  "/api/health/live": live,
  "/api/health/ready": ready,
  "/slow": slow,
  "/endless": endless,
};

const server = http.createServer(async (request, answer) => {
  const route = routes[request.url ?? ""];
  const response = await route?.(new Request(`http://127.0.0.1${request.url}`), { params: Promise.resolve({}) });
  answer.writeHead(response?.status ?? 404, { connection: "close" }).end(await response?.text());
});
process.on("SIGTERM", () => server.close(() => process.exit(0)));
stopBefore(await startJobs());
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ msg: "listening", port: typeof address === "object" && address?.port })}\n`);
});
