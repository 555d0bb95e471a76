/** The header of a WAV of 16-bit PCM and one channel (RIFF). @param samples that follow it */
export function waveHeader(rate: number, samples: number): Buffer {
  const header = Buffer.alloc(44);
  const bytes = samples * 2;
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + bytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  for (const [at, value] of [[16, 16], [24, rate], [28, rate * 2], [40, bytes]] as const) header.writeUInt32LE(value, at);
  // PCM, one channel, 2 bytes and 16 bits a sample.
  for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]] as const) header.writeUInt16LE(value, at);
  header.write('data', 36, 'latin1');
  return header;
}
