/** The bell that leads the flock; beside the name, so silent itself. */
export function BrandMark({ className }: { className?: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 32 32" className={className}>
      <rect width="32" height="32" rx="7" fill="var(--accent-fill)" />
      <path
        d="M16 6v2.5M8 22.5c1.9-1.9 2.6-4.2 2.6-7.6a5.4 5.4 0 0 1 10.8 0c0 3.4.7 5.7 2.6 7.6z"
        fill="none"
        stroke="var(--on-accent)"
        strokeWidth="2.4"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="16" cy="25.6" r="1.9" fill="var(--on-accent)" />
    </svg>
  );
}
