import type { Attempt } from '../handler.ts';

const bytesPerReport = 1_000_000;

/**
 * Reports the step `downloading`, with what an earlier attempt has received already, then the bytes received: at each whole
 * percent of `total`, or at each megabyte, without a percentage, if the total is unknown.
 */
export function createMeter(attempt: Attempt, total: number | null, from: number): (received: number) => void {
  const markOf = (received: number) =>
    total === null ? Math.floor(received / bytesPerReport) : total === 0 ? 100 : Math.floor((received * 100) / total);
  const report = (received: number) => {
    const size = total === null ? formatBytes(received) : `${formatBytes(received)} of ${formatBytes(total)}`;
    attempt.report({ message: size, percentage: total === null ? null : markOf(received) });
  };
  let reported = markOf(from);
  attempt.report({ step: 'downloading', percentage: total === null ? null : reported });
  return (received) => {
    if (markOf(received) <= reported) return;
    reported = markOf(received);
    report(received);
  };
}

function formatBytes(bytes: number): string {
  return bytes < bytesPerReport ? `${bytes} bytes` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
