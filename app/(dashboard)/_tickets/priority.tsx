import { ChevronsUp, ChevronUp } from "lucide-react";
import { Unknown } from "#app/_ui/unknown.tsx";

/** A priority as a word; the two high ones also carry a mark and the one colour they have everywhere. */
export function Priority({ value, reason = "The ticket has no priority" }: { value: string | null; reason?: string }) {
  if (value === null) return <Unknown reason={reason} />;
  const Mark = value === "urgent" ? ChevronsUp : value === "high" ? ChevronUp : null;
  if (!Mark) return <span>{value}</span>;
  return (
    <span className="font-medium whitespace-nowrap text-top-priority">
      <Mark aria-hidden className="me-0.5 inline size-3.5 align-[-2px]" />
      {value}
    </span>
  );
}
