import type { CustomField } from "#lib/connections/shapes.ts";

type CustomFieldOptionsProps = { fields: readonly CustomField[] | undefined; prefix?: string };

/** What a text field for the key of a custom field offers, in its `datalist`. */
export function CustomFieldOptions({ fields = [], prefix = "" }: CustomFieldOptionsProps) {
  return fields.map(({ key, title }) => <option key={key} value={prefix + key} label={title ?? key} />);
}
