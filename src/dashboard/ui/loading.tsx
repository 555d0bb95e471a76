/** In place of what is being read. Takes the room of so many rows, so that nothing jumps when they come; shown only after a moment. */
export function Loading({ rows = 8 }: { rows?: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_none, at) => (
        <div key={at} class="loading-row" />
      ))}
    </div>
  );
}
