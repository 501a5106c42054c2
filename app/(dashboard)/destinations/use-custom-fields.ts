"use client";

import { useQuery } from "@tanstack/react-query";
import { connectionQueries } from "#app/_queries/connections.ts";
import { destinationQueries } from "#app/_queries/destinations.ts";
import type { CustomFieldList, FieldSubject } from "#lib/connections/shapes.ts";

/** The custom fields of the Zendesk that the destination writes to, as they were read last; undefined while that is not known. */
export function useCustomFields(destinationId: string, subject: FieldSubject | null): CustomFieldList | undefined {
  const destination = useQuery(destinationQueries.one(destinationId)).data;
  return useQuery({
    ...connectionQueries.customFields(destination?.connectionId ?? "", subject ?? "user"),
    enabled: destination !== undefined && subject !== null,
  }).data;
}
