"use client";

import { Gone } from "#app/_ui/empty.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Screen } from "#app/(dashboard)/_frame/screen.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { DeliveryLog } from "#app/(dashboard)/destinations/_deliveries/delivery-log.tsx";
import { AreaLinks } from "#app/(dashboard)/destinations/area-links.tsx";

/** Every write of every destination. */
export function Deliveries() {
  const { user } = useSession();
  if (user.role === "viewer") {
    return (
      <Screen title="Deliveries">
        <Gone
          title="Deliveries are shown to CSMs and administrators"
          action={<Link href="/destinations">Destinations</Link>}
        />
      </Screen>
    );
  }
  return (
    <Screen title="Deliveries" layout="fill">
      <AreaLinks />
      <DeliveryLog />
    </Screen>
  );
}
