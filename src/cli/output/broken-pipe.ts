import { codeOf } from '../command-error.ts';

/** Ends the process without a word when whoever read its output has left, as `head` does. */
export function quietOnBrokenPipe(): void {
  process.stdout.on('error', (error) => {
    const code = codeOf(error);
    if (code === 'EPIPE') process.exit();
    // The terminal is gone, and SIGHUP tells so.
    if (code !== 'EIO') throw error;
  });
  // Nobody reads what is told beside the data: the work goes on.
  process.stderr.on('error', () => {});
}
