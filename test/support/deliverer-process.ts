import { context } from "#lib/context.ts";
import { startDeliveries } from "#lib/jobs/deliveries.ts";

/* A process of its own that routes and delivers, as the product does from its start on. */

startDeliveries(context());
process.send?.("started");
process.once("disconnect", () => process.exit(0));
