/** Slots of a Redis cluster, numbered from 0; each belongs to one of its masters. */
export const slotCount = 16_384;

/** CRC16 of one byte, polynomial 0x1021 (XMODEM): what the cluster specification names. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) {
    remainder = remainder & 0x8000 ? (remainder << 1) ^ 0x1021 : remainder << 1;
  }
  return remainder;
});

/**
 * The slot of a channel, as each node of a cluster computes it. Of a channel with `{…}` in it only what is between the
 * first braces counts (Redis cluster specification, "hash tags").
 */
export function slotOf(channel: string): number {
  const [, tag] = /^[^{]*\{([^}]+)\}/.exec(channel) ?? [];
  let remainder = 0;
  for (const byte of Buffer.from(tag ?? channel)) {
    remainder = ((remainder << 8) & 0xffff) ^ (table[(remainder >> 8) ^ byte] ?? 0);
  }
  return remainder % slotCount;
}
