/**
 * The streams of a pod over the WebSocket that is attached to it. The first byte of a message says which stream it is
 * (`v4.channel.k8s.io`); in `v5.channel.k8s.io` one of 255 says that the stream named by the next byte is over.
 */
import { PassThrough, Writable } from 'node:stream'
import type { WebSocket } from 'ws'
import type { RemoteStreams } from '../remote-server.ts'

const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const
/** What is written is cut to this; the parts between us and the pod have buffers of about this size. */
const mostWritten = 32 * 1024
/** Somebody in between ends connections that are silent. */
const pingMs = 30_000
const silentPings = 3

/** Takes over a connection that was paused before anything of it was read. */
export function podStreams(socket: WebSocket): RemoteStreams {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  let unanswered = 0
  const pinging = setInterval(() => {
    unanswered += 1
    if (unanswered > silentPings) socket.terminate()
    else socket.ping(() => {})
  }, pingMs).unref()
  socket.on('pong', () => (unanswered = 0))
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      clearInterval(pinging)
      stdout.end()
      stderr.end()
      resolve()
    })
  })
  socket.on('message', (data: Buffer) => {
    unanswered = 0
    const into = data[0] === channels.stdout ? stdout : data[0] === channels.stderr ? stderr : undefined
    // The last that comes. How it ended is asked of the pod, which knows more than is told here.
    if (data[0] === channels.status) socket.close()
    if (into === undefined || data.length === 1 || into.write(data.subarray(1))) return
    // Whoever does not read holds up the pod, and not our memory.
    socket.pause()
    into.once('drain', () => socket.resume())
  })
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += mostWritten) {
        const piece = chunk.subarray(at, at + mostWritten)
        const isLast = at + mostWritten >= chunk.length
        socket.send(Buffer.concat([Buffer.of(channels.stdin), piece]), isLast ? (error) => done(error) : () => {})
      }
    },
    final(done) {
      // An older server knows no other end of the input than that of the connection, which is for whoever stops the pod.
      if (socket.protocol === 'v5.channel.k8s.io') socket.send(Buffer.of(channels.close, channels.stdin), () => done())
      else done()
    },
  })
  socket.on('error', (error) => stdin.destroy(error))
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {})
  socket.resume()
  return { stdin, stdout, stderr, closed, destroy: () => socket.terminate() }
}
