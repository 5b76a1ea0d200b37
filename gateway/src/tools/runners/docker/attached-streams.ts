/**
 * The three streams of a container over the one connection that is attached to it. What the container writes comes in frames
 * (ContainerAttach, "Stream format"): a byte that says which stream, three zeros, the length in four bytes, and the bytes.
 */
import { PassThrough, Writable, type Duplex } from 'node:stream'
import type { RemoteStreams } from '../remote-server.ts'

const headerBytes = 8
const stdoutStream = 1
const stderrStream = 2

/** Takes the connection over. What does not begin like a frame ends it. */
export function attachedStreams(socket: Duplex): RemoteStreams {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const header = Buffer.alloc(headerBytes)
  let headerRead = 0
  let left = 0
  let into: PassThrough = stdout

  // Whoever does not read holds up the container, and not our memory.
  const write = (piece: Buffer): void => {
    if (into.write(piece)) return
    socket.pause()
    into.once('drain', () => socket.resume())
  }
  socket.on('data', (chunk: Buffer) => {
    let at = 0
    while (at < chunk.length) {
      if (left > 0) {
        const piece = chunk.subarray(at, at + left)
        at += piece.length
        left -= piece.length
        write(piece)
        continue
      }
      const taken = chunk.copy(header, headerRead, at, at + headerBytes - headerRead)
      at += taken
      headerRead += taken
      if (headerRead < headerBytes) return
      headerRead = 0
      const stream = header[0]
      if ((stream !== stdoutStream && stream !== stderrStream) || header.readUIntBE(1, 3) !== 0) {
        socket.destroy()
        return
      }
      into = stream === stdoutStream ? stdout : stderr
      left = header.readUInt32BE(4)
    }
  })
  const end = (): void => {
    stdout.end()
    stderr.end()
  }
  socket.once('end', end)
  socket.once('close', end)
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      socket.write(chunk, done)
    },
    final(done) {
      socket.end(done)
    },
  })
  socket.on('error', (error) => stdin.destroy(error))
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {})
  return { stdin, stdout, stderr, closed, destroy: () => socket.destroy() }
}
