/**
 * Writes to a streamed answer in one piece. `node:http` hands the size, the bytes and the line ends of a chunk (RFC 9112,
 * section 7.1) to the socket one by one and at the end of the tick, which for an event of a few words costs more than
 * everything else that is done with it.
 */
import type { ServerResponse } from 'node:http'

/** Above this a copy costs more than it saves. */
const maxCopied = 16 * 1024
const carriageReturn = 0x0d
const lineFeed = 0x0a

/** As `response.write`, which it is for an answer that has not begun, is not chunked, is corked or has no socket yet. */
export function writeChunk(response: ServerResponse, bytes: Uint8Array | string): boolean {
  const length = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length
  const { socket } = response
  const isPlain = response.headersSent && response.chunkedEncoding && response.writableCorked === 0
  if (!isPlain || socket === null || length === 0 || length > maxCopied) return response.write(bytes)
  const frame = framed(bytes, length)
  socket.cork()
  // The frame is there already; whoever writes or ends the answer in another way still gets theirs.
  response.chunkedEncoding = false
  try {
    return response.write(frame)
  } finally {
    response.chunkedEncoding = true
    socket.uncork()
  }
}

function framed(bytes: Uint8Array | string, length: number): Buffer {
  const size = length.toString(16)
  const frame = Buffer.allocUnsafe(size.length + length + 4)
  let at = frame.write(size, 'latin1')
  frame[at++] = carriageReturn
  frame[at++] = lineFeed
  if (typeof bytes === 'string') frame.write(bytes, at, 'utf8')
  else frame.set(bytes, at)
  at += length
  frame[at++] = carriageReturn
  frame[at++] = lineFeed
  return frame
}
