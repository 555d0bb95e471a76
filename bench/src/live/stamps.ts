/** A progress message that carries the time at which the version was made. @param number for people */
export function stampedMessage(number: number): string {
  return `Rendering scene ${number} @${now().toFixed(3)}@`;
}

/** Reads when the version in a frame was made, in milliseconds since the epoch. */
export function readStamp(frame: string): number {
  const from = frame.indexOf('@') + 1;
  return Number(frame.slice(from, frame.indexOf('@', from)));
}

/** Milliseconds since the epoch, finer than Date.now(). */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
