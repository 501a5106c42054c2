"use client";

import { ArrowUp } from "lucide-react";
import { Button } from "../button.tsx";
import { useLocale } from "../locale.tsx";
import { formatNumber } from "../num.tsx";

type NewRowsProps = { nouns: readonly [string, string]; waiting: number; onShow: () => void };

/** Says that rows are new, and shows them when asked: in a place of its own, so that nothing moves. */
export function NewRows({ nouns, waiting, onShow }: NewRowsProps) {
  const locale = useLocale();
  const words = `${formatNumber(waiting, locale)} new ${waiting === 1 ? nouns[0] : nouns[1]}`;
  return (
    <span className="flex h-7 items-center">
      <span role="status" className="sr-only">
        {waiting > 0 ? words : ""}
      </span>
      {waiting > 0 ? (
        <Button size="sm" onClick={onShow}>
          <ArrowUp aria-hidden />
          Show {words}
        </Button>
      ) : (
        <span className="text-small text-muted">follows by itself</span>
      )}
    </span>
  );
}
