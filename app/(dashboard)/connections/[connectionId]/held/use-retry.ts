"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { accountQueries } from "#app/_queries/accounts.ts";
import { connectionQueries, retryHeldRows } from "#app/_queries/connections.ts";
import { noticeQueries } from "#app/_queries/notices.ts";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { useLocale } from "#app/_ui/locale.tsx";
import { formatNumber } from "#app/_ui/num.tsx";
import { toast } from "#app/_ui/toast.tsx";

export type Retry = ReturnType<typeof useRetry>;

/** Tries held rows again and says what came of it. */
export function useRetry(connectionId: string) {
  const client = useQueryClient();
  const locale = useLocale();
  return useMutation({
    mutationFn: (which: Parameters<typeof retryHeldRows>[1]) => retryHeldRows(connectionId, which),
    onSuccess: ({ released, held }) => (held === 0 ? toast.success : toast.info)(retryWords(released, held, locale)),
    onError: (error) => toast.error(reasonOf(error)),
    onSettled: () =>
      Promise.all(
        [connectionQueries.all(), noticeQueries.all(), accountQueries.all()].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      ),
  });
}

/** "2 rows are stored now; 1 is still held, with its reason." */
export function retryWords(released: number, held: number, locale = "en"): string {
  const stored = `${formatNumber(released, locale)} ${released === 1 ? "row is" : "rows are"} stored now`;
  const left = `${formatNumber(held, locale)} ${held === 1 ? "is" : "are"} still held, for the reason shown`;
  if (released === 0 && held === 0) return "Nothing was left to try.";
  if (held === 0) return `${stored}.`;
  return released === 0 ? `${left}.` : `${stored}; ${left}.`;
}
