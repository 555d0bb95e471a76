import { onTestFinished, vi } from 'vitest';

/** Sets this process's clock apart from the database's for the rest of the test. It goes on. Servers only. */
export function setClockApart(milliseconds: number): void {
  const RealDate = Date;
  class ApartDate extends RealDate {
    constructor(...given: [] | ConstructorParameters<typeof RealDate>) {
      if (given.length === 0) super(RealDate.now() + milliseconds);
      else super(...given);
    }
    static override now(): number {
      return RealDate.now() + milliseconds;
    }
  }
  vi.stubGlobal('Date', ApartDate);
  onTestFinished(() => void vi.unstubAllGlobals());
}
