"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type DeliveryFilters, deliveryQueries } from "#app/_queries/deliveries.ts";
import { FilterBar } from "#app/_ui/filter-bar.tsx";
import { useLocale } from "#app/_ui/locale.tsx";
import { formatNumber } from "#app/_ui/num.tsx";
import { SearchField } from "#app/_ui/search-field.tsx";
import { Select } from "#app/_ui/select.tsx";
import {
  commandNames,
  deliveryWords,
  reasonWords,
  shownState,
  shownStates,
} from "#app/(dashboard)/destinations/destination-words.ts";
import type { useDeliveryFilters } from "#app/(dashboard)/destinations/filters.ts";
import { commandKinds, type Destination, discarded } from "#lib/destinations/shapes.ts";

const ANY = "any";

type DeliveryFilterBarProps = {
  filters: DeliveryFilters;
  /** Given where there is one to choose. */
  destinations: readonly Destination[] | undefined;
  onChange: ReturnType<typeof useDeliveryFilters>["change"];
  onSearch: (text: string) => void;
  onClear?: () => void;
  end: ReactNode;
};

export function DeliveryFilterBar(props: DeliveryFilterBarProps) {
  const { filters, destinations, onChange, onSearch } = props;
  const state = filters.state && shownState({ state: filters.state, code: filters.code });
  return (
    <FilterBar label="Filters of the deliveries" onClear={props.onClear} end={props.end}>
      <SearchField
        label="Search deliveries"
        placeholder="Message, Zendesk id or whom"
        value={filters.q}
        onChange={onSearch}
        className="w-72"
      />
      <Select
        label="State"
        inline
        value={state ?? ANY}
        onChange={(value) => onChange({ state: value === ANY ? null : value, code: null })}
        options={[
          { value: ANY, label: "every" },
          ...shownStates.map((value) => ({ value, label: deliveryWords[value].words })),
        ]}
      />
      <Select
        label="Action"
        inline
        value={filters.action ?? ANY}
        onChange={(value) => onChange({ action: value === ANY ? null : value })}
        options={[
          { value: ANY, label: "every" },
          ...commandKinds.map((value) => ({ value, label: commandNames[value] })),
        ]}
      />
      {destinations && (
        <Select
          label="Destination"
          inline
          value={filters.destinationId ?? ANY}
          onChange={(value) => onChange({ destination: value === ANY ? null : value })}
          options={[
            { value: ANY, label: "every" },
            ...destinations.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
      )}
      {state !== discarded && <ReasonSelect filters={filters} onChange={onChange} />}
      {filters.messageId && <Narrowed label="Message" value={filters.messageId} />}
    </FilterBar>
  );
}

/** Offers the reasons that the other filters leave, each with how many deliveries have it. */
function ReasonSelect({ filters, onChange }: Pick<DeliveryFilterBarProps, "filters" | "onChange">) {
  const locale = useLocale();
  const { data: reasons } = useQuery(deliveryQueries.reasons(filters));
  const { code } = filters;
  const offered = reasons?.items ?? [];
  const isOffered = code === null || offered.some((reason) => reason.code === code);
  return (
    <Select
      label="Reason"
      inline
      value={code ?? ANY}
      onChange={(value) => onChange({ code: value === ANY ? null : value })}
      options={[
        { value: ANY, label: "every" },
        ...offered.map(({ code, deliveries }) => ({
          value: code,
          label: reasonWords(code),
          detail: formatNumber(deliveries, locale),
        })),
        ...(isOffered ? [] : [{ value: code, label: reasonWords(code) }]),
      ]}
    />
  );
}

/** A filter that a link set; Clear takes it away. */
function Narrowed({ label, value }: { label: string; value: string }) {
  return (
    <span className="flex h-8 max-w-60 items-center truncate rounded-control bg-hover px-2.5 text-table">
      <span className="truncate">
        <span className="text-muted">{label}: </span>
        {value}
      </span>
    </span>
  );
}
