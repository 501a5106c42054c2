"use client";

import type { ReactNode } from "react";
import type { DeliveryFilters } from "#app/_queries/deliveries.ts";
import { FilterBar } from "#app/_ui/filter-bar.tsx";
import { SearchField } from "#app/_ui/search-field.tsx";
import { Select } from "#app/_ui/select.tsx";
import { commandNames, deliveryWords } from "#app/(dashboard)/destinations/destination-words.ts";
import type { useDeliveryFilters } from "#app/(dashboard)/destinations/filters.ts";
import { commandKinds, type Destination, deliveryStates } from "#lib/destinations/shapes.ts";

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
        value={filters.state ?? ANY}
        onChange={(value) => onChange({ state: value === ANY ? null : value })}
        options={[
          { value: ANY, label: "every" },
          ...deliveryStates.map((value) => ({ value, label: deliveryWords[value].words })),
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
      {filters.code && <Narrowed label="Reason" value={filters.code} />}
      {filters.messageId && <Narrowed label="Message" value={filters.messageId} />}
    </FilterBar>
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
