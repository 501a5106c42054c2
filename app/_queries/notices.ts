import { queryOptions } from "@tanstack/react-query";
import { apiGet } from "#app/_queries/client.ts";
import type { List } from "#lib/api/shapes.ts";
import type { Notice } from "#lib/notifications/shapes.ts";

const LOOK_AGAIN_MS = 15_000;
const root = ["notices"] as const;

export const noticeQueries = {
  all: () => root,
  /** The failures that go on now. */
  open: () =>
    queryOptions({
      queryKey: [...root, "open"],
      queryFn: ({ signal }) => apiGet<List<Notice>>("/api/v1/notices", { open: "1", limit: 100 }, signal),
      refetchInterval: LOOK_AGAIN_MS,
    }),
};
