/** The header of a WebSocket frame (RFC 6455, section 5.2). */
interface Head {
  opcode: number;
  /** Bounds of the payload. */
  start: number;
  end: number;
}

export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 };

/** Reads the header at `at` of a server's frame, which is not masked. Null if the frame is incomplete. */
export function headAt(buffer: Buffer, at: number, length: number): Head | null {
  if (length - at < 2) return null;
  const opcode = buffer.readUInt8(at) & 0x0f;
  const short = buffer.readUInt8(at + 1) & 0x7f;
  const start = at + (short === 126 ? 4 : short === 127 ? 10 : 2);
  if (length < start) return null;
  const size = short === 126 ? buffer.readUInt16BE(at + 2) : short === 127 ? Number(buffer.readBigUInt64BE(at + 2)) : short;
  return start + size > length ? null : { opcode, start, end: start + size };
}

/** Makes a client's frame. Its mask is all zeros, which leaves the payload unchanged. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const extended = payload.length > 125;
  const head = Buffer.alloc(extended ? 8 : 6);
  head.writeUInt8(0x80 | opcode, 0);
  head.writeUInt8(0x80 | (extended ? 126 : payload.length), 1);
  if (extended) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
