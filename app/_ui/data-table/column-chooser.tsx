"use client";

import { ArrowDown, ArrowUp, Columns3, Minus, Plus } from "lucide-react";
import { Button } from "../button.tsx";
import { Checkbox } from "../checkbox.tsx";
import { IconButton } from "../icon-button.tsx";
import { Popover } from "../popover.tsx";
import { Segmented } from "../segmented.tsx";
import { type ColumnOutline, clampWidth, nameOf, shownColumns, type TableView, WIDTH_STEP, widthOf } from "./view.ts";

type ColumnChooserProps = {
  columns: readonly ColumnOutline[];
  view: TableView;
  onViewChange: (view: TableView) => void;
};

/** Which columns, in which order and width, and how dense: all by buttons, so that nothing needs a drag. */
export function ColumnChooser({ columns, view, onViewChange }: ColumnChooserProps) {
  const shown = shownColumns(columns, view.columns);
  const first = shown[0];
  const byId = new Map(columns.map((column) => [column.id, column]));
  const listed = [...shown, ...columns.map(({ id }) => id).filter((id) => !shown.includes(id))];

  const show = (id: string, wanted: boolean) =>
    onViewChange({ ...view, columns: wanted ? [...shown, id] : shown.filter((other) => other !== id) });
  const move = (id: string, by: -1 | 1) => onViewChange({ ...view, columns: moved(shown, id, by) });
  const widen = (column: ColumnOutline, by: number) =>
    onViewChange({
      ...view,
      widths: { ...view.widths, [column.id]: clampWidth(widthOf(column, view.widths) + by) },
    });

  return (
    <Popover
      label="Columns and density"
      align="end"
      className="w-96 max-w-[calc(100vw-16px)]"
      trigger={
        <Button>
          <Columns3 aria-hidden />
          Columns
        </Button>
      }
    >
      <div className="mb-2 flex items-center justify-between gap-2">
        <Segmented
          label="Row height"
          value={view.density}
          onChange={(density) => onViewChange({ ...view, density })}
          options={[
            { value: "compact", label: "Compact" },
            { value: "comfortable", label: "Comfortable" },
          ]}
        />
        <Button
          variant="ghost"
          size="sm"
          onClick={() => onViewChange({ ...view, columns: null, widths: {}, density: "compact" })}
        >
          Reset
        </Button>
      </div>
      <ul>
        {listed.map((id) => {
          const column = byId.get(id);
          if (!column) return null;
          const position = shown.indexOf(id);
          const visible = position >= 0;
          return (
            <li key={id} className="flex min-h-8 items-center gap-1">
              <div className="min-w-0 flex-1">
                <Checkbox
                  label={nameOf(column)}
                  checked={visible}
                  disabled={id === first}
                  onChange={(wanted) => show(id, wanted)}
                />
              </div>
              {visible && (
                <>
                  <ChooserButton
                    label={`Make ${nameOf(column)} narrower`}
                    icon={<Minus aria-hidden />}
                    onClick={() => widen(column, -WIDTH_STEP)}
                  />
                  <ChooserButton
                    label={`Make ${nameOf(column)} wider`}
                    icon={<Plus aria-hidden />}
                    onClick={() => widen(column, WIDTH_STEP)}
                  />
                  <ChooserButton
                    label={`Move ${nameOf(column)} to the left`}
                    icon={<ArrowUp aria-hidden />}
                    disabled={position <= 1}
                    onClick={() => move(id, -1)}
                  />
                  <ChooserButton
                    label={`Move ${nameOf(column)} to the right`}
                    icon={<ArrowDown aria-hidden />}
                    disabled={position === 0 || position === shown.length - 1}
                    onClick={() => move(id, 1)}
                  />
                </>
              )}
            </li>
          );
        })}
      </ul>
    </Popover>
  );
}

function ChooserButton({ disabled, ...rest }: Parameters<typeof IconButton>[0]) {
  // Disabled through aria: a button that loses its focus on the last step would throw the reader out of the list.
  return (
    <IconButton
      size="sm"
      {...rest}
      aria-disabled={disabled || undefined}
      onClick={disabled ? undefined : rest.onClick}
    />
  );
}

function moved(ids: readonly string[], id: string, by: -1 | 1): string[] {
  const from = ids.indexOf(id);
  const without = ids.filter((other) => other !== id);
  const to = Math.min(without.length, Math.max(1, from + by));
  return [...without.slice(0, to), id, ...without.slice(to)];
}
