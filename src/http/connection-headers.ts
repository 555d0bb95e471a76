/** For so long a connection stays open between two requests, in milliseconds. */
export const keepAliveMilliseconds = 72_000;

const closing = 'Connection: close\r\n';

const staying = `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveMilliseconds / 1_000}\r\n`;

let second = 0;
let date = '';

/** What Node adds to every answer, each header on its line. The date is made once a second. */
export function connectionHeaders({ stays }: { stays: boolean }): string {
  const now = Math.floor(Date.now() / 1_000);
  if (now !== second) {
    second = now;
    date = `Date: ${new Date(now * 1_000).toUTCString()}\r\n`;
  }
  return date + (stays ? staying : closing);
}
