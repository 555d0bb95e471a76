/** For so long a connection stays open between two requests, in milliseconds. */
export const keepAliveMilliseconds = 72_000;

let second = 0;
let lines = '';

/** What Node adds to every answer on a connection that stays open: each header on its line. Made once a second. */
export function connectionHeaders(): string {
  const now = Math.floor(Date.now() / 1_000);
  if (now !== second) {
    second = now;
    const date = new Date(now * 1_000).toUTCString();
    lines = `Date: ${date}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${keepAliveMilliseconds / 1_000}\r\n`;
  }
  return lines;
}
