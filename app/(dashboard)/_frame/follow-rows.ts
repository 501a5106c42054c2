"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { accountQueries } from "#app/_queries/accounts.ts";
import { connectionQueries } from "#app/_queries/connections.ts";
import { stateOfRows } from "./freshness.ts";

/** Asks again for numbers and timelines when the stamp shows that rows have come: an open screen keeps up by itself. */
export function useFollowRows(): void {
  const client = useQueryClient();
  const { data: connections } = useQuery(connectionQueries.list());
  const state = connections && stateOfRows(connections.items);
  const seen = useRef<string | undefined>(undefined);
  useEffect(() => {
    const changed = seen.current !== undefined && state !== undefined && seen.current !== state;
    seen.current = state;
    if (!changed) return;
    void client.invalidateQueries({ queryKey: accountQueries.all() });
    void client.invalidateQueries({ queryKey: accountQueries.feeds() });
  }, [state, client]);
}
