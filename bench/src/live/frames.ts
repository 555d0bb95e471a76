/** What stands in front of a WebSocket frame's payload (RFC 6455, section 5.2). */
interface Head {
  opcode: number;
  /** Where the payload begins and ends. */
  start: number;
  end: number;
}

export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 };

/** The frame at `at`, as a server sends it: whole and not masked. Null where the rest is still to come. */
export function headAt(buffer: Buffer, at: number, length: number): Head | null {
  if (length - at < 2) return null;
  const opcode = buffer.readUInt8(at) & 0x0f;
  const short = buffer.readUInt8(at + 1) & 0x7f;
  const start = at + (short === 126 ? 4 : short === 127 ? 10 : 2);
  if (length < start) return null;
  const size = short === 126 ? buffer.readUInt16BE(at + 2) : short === 127 ? Number(buffer.readBigUInt64BE(at + 2)) : short;
  return start + size > length ? null : { opcode, start, end: start + size };
}

/** A frame as a client sends it: masked, with a mask of zeros, which leaves the payload as it is. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const extended = payload.length > 125;
  const head = Buffer.alloc(extended ? 8 : 6);
  head.writeUInt8(0x80 | opcode, 0);
  head.writeUInt8(0x80 | (extended ? 126 : payload.length), 1);
  if (extended) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
