import { act, renderHook } from "@testing-library/react";
import { NuqsTestingAdapter } from "nuqs/adapters/testing";
import type { ReactNode } from "react";
import { expect, test } from "vitest";
import { useDeliveryFilters, useEventFilters } from "#app/(dashboard)/destinations/filters.ts";

const url = (search: string) => ({
  wrapper: ({ children }: { children: ReactNode }) => (
    <NuqsTestingAdapter searchParams={search} hasMemory>
      {children}
    </NuqsTestingAdapter>
  ),
});

test("one filter is changed, an emptied search is none, and all are cleared at once", async () => {
  const { result } = renderHook(() => useEventFilters(), url("?q=ann&source=3&state=rejected&action=kept"));
  expect(result.current).toMatchObject({
    filters: { q: "ann", sourceId: "3", type: null, state: "rejected" },
    filtered: true,
  });
  await act(async () => result.current.change({ state: null }));
  await act(async () => result.current.search(""));
  expect(result.current).toMatchObject({ filters: { q: "", sourceId: "3", state: null }, filtered: true });
  await act(async () => result.current.clear());
  expect(result.current).toMatchObject({ filters: { q: "", sourceId: null }, filtered: false });
});

test("in the log of one destination that one is fixed, and is no filter to be cleared", async () => {
  const { result } = renderHook(() => useDeliveryFilters("7"), url("?destination=8&message=m-1"));
  expect(result.current).toMatchObject({ filters: { destinationId: "7", messageId: "m-1" }, filtered: true });
  await act(async () => result.current.clear());
  expect(result.current).toMatchObject({ filters: { destinationId: "7", messageId: null }, filtered: false });
});

test("dead letters are what failed but for what somebody discarded, which is chosen apart", async () => {
  const { result } = renderHook(() => useDeliveryFilters(), url("?state=failed&code=refused"));
  expect(result.current.filters).toMatchObject({ state: "failed", code: "refused", exceptCode: "discarded" });
  await act(async () => result.current.change({ state: "discarded", code: null }));
  expect(result.current.filters).toMatchObject({ state: "failed", code: "discarded", exceptCode: null });
  // As links of former days have it.
  await act(async () => result.current.change({ state: "failed", code: "discarded" }));
  expect(result.current.filters).toMatchObject({ state: "failed", code: "discarded", exceptCode: null });
  await act(async () => result.current.change({ state: "held", code: null }));
  expect(result.current.filters).toMatchObject({ state: "held", code: null, exceptCode: null });
});
