"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { accountQueries } from "#app/_queries/accounts.ts";
import { connectionQueries, decideMatch, takeBackMatch } from "#app/_queries/connections.ts";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { toast } from "#app/_ui/toast.tsx";
import type { DecisionBody, OrganizationItem } from "#lib/matching/shapes.ts";

interface Decision {
  organizationId: string;
  body: DecisionBody;
  words: string;
}

export type Decisions = ReturnType<typeof useDecision>;

/** A person's word, with undo in the toast. */
export function useDecision(connectionId: string) {
  const client = useQueryClient();
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: connectionQueries.all() }),
      client.invalidateQueries({ queryKey: accountQueries.all() }),
    ]);
  const onError = (error: Error) => toast.error(reasonOf(error));
  const takeBack = useMutation({
    mutationFn: (organizationId: string) => takeBackMatch(connectionId, organizationId),
    onError,
    onSettled: refresh,
  });
  const decision = useMutation({
    mutationFn: ({ organizationId, body }: Decision) => decideMatch(connectionId, organizationId, body),
    onSuccess: (_, { organizationId, words }) =>
      toast.success(words, { action: { label: "Undo", onClick: () => takeBack.mutate(organizationId) } }),
    onError,
    onSettled: refresh,
  });
  return {
    match: ({ organizationId }: OrganizationItem, account: { id: string; name: string }) =>
      decision.mutate({ organizationId, body: { accountId: account.id }, words: `Matched to ${account.name}.` }),
    ignore: ({ organizationId }: OrganizationItem) =>
      decision.mutate({ organizationId, body: { ignored: true }, words: "Ignored." }),
    takeBack: ({ organizationId }: OrganizationItem) => takeBack.mutate(organizationId),
    busy: decision.isPending || takeBack.isPending,
  };
}
