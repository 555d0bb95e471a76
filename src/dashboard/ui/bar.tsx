/** How far something is. Null: under way, it cannot be told how far. */
export function Bar({ percentage, label }: { percentage: number | null; label: string }) {
  if (percentage === null) return <progress class="bar" aria-label={label} />;
  return <progress class="bar" max={100} value={percentage} aria-label={label} />;
}

/** `42 %`; what is not done is not shown as 100. */
export function percentText(percentage: number): string {
  return `${percentage >= 99 && percentage < 100 ? 99 : Math.round(percentage)} %`;
}
