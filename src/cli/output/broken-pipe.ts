/** Ends the process without a word when whoever read its output has left, as `head` does. */
export function quietOnBrokenPipe(): void {
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit();
    throw error;
  });
  // Nobody reads what is told beside the data: the work goes on.
  process.stderr.on('error', () => {});
}
