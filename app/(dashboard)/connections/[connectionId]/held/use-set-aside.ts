"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { connectionQueries, setHeldRowAside } from "#app/_queries/connections.ts";
import { noticeQueries } from "#app/_queries/notices.ts";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { toast } from "#app/_ui/toast.tsx";

export type SetAside = ReturnType<typeof useSetAside>;

/** Sets a held row aside, or holds it again, and says so. */
export function useSetAside(connectionId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (decision: Parameters<typeof setHeldRowAside>[1]) => setHeldRowAside(connectionId, decision),
    onSuccess: ({ setAside }) =>
      toast.success(
        setAside
          ? "Set aside. It is held again if it comes with other content."
          : "Held again: its stream is degraded.",
      ),
    onError: (error) => toast.error(reasonOf(error)),
    onSettled: () =>
      Promise.all(
        [connectionQueries.all(), noticeQueries.all()].map((queryKey) => client.invalidateQueries({ queryKey })),
      ),
  });
}
