/** The side of the grey picture that is hashed, in pixels. */
export const hashSide = 32;

/** The lowest frequencies each way: 8 × 8 bits. */
const kept = 8;

/** cosines[u][x] of a discrete cosine transform (type II). */
const cosines = Array.from({ length: kept }, (_, u) => Array.from({ length: hashSide }, (_each, x) => Math.cos(((2 * x + 1) * u * Math.PI) / (2 * hashSide))));

/**
 * 64 bits of how a picture looks, in hex: which of its lowest frequencies are above their median. Scaling, encoding and a little light
 * change few of them; another picture half of them.
 *
 * @param grey 32 × 32 bytes
 */
export function perceptualHash(grey: Uint8Array): string {
  const rows = Array.from({ length: hashSide }, (_, y) => cosines.map((cosine) => cosine.reduce((sum, each, x) => sum + each * (grey[y * hashSide + x] ?? 0), 0)));
  const frequencies = cosines.flatMap((cosine) => Array.from({ length: kept }, (_, u) => cosine.reduce((sum, each, y) => sum + each * (rows[y]?.[u] ?? 0), 0)));
  // The first is how light the picture is as a whole, and far from all others.
  const median = frequencies.slice(1).toSorted((a, b) => a - b)[Math.floor(frequencies.length / 2) - 1] ?? 0;
  const bits = frequencies.reduce((all, each, index) => (all << 1n) | (index > 0 && each > median ? 1n : 0n), 0n);
  return bits.toString(16).padStart(16, '0');
}
