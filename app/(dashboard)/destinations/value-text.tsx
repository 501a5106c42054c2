import { visibleText } from "#app/(dashboard)/connections/[connectionId]/held/visible-text.ts";

/** A value of an event or of Zendesk's in a line; nothing is “empty”, never blank. */
export function ValueText({ value }: { value: unknown }) {
  if (value === null || value === undefined || value === "") return <span className="text-muted">empty</span>;
  return <>{visibleText(typeof value === "string" ? value : JSON.stringify(value))}</>;
}
