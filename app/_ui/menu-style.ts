export const floatingList =
  "z-50 min-w-40 max-w-[calc(100vw-16px)] animate-fade-in overflow-hidden rounded-control bg-floating text-ink shadow-floating";

export const listItem =
  "flex min-h-7 cursor-default items-center gap-2 rounded px-2 py-1 text-body outline-none select-none data-highlighted:bg-hover data-disabled:opacity-60 [&_svg]:size-4 [&_svg]:shrink-0";
