/**
 * Two sockets that carry each other's bytes, either way until its sender has ended: a half-closed connection stays half
 * closed, and the last bytes arrive also where the reader is slow. Both were made with `allowHalfOpen`.
 */
import type { Socket } from 'node:net'

export interface JoinOptions {
  /** Called with each piece that passes, and whether it went to `far`. */
  readonly onBytes?: ((bytes: number, isToFar: boolean) => void) | undefined
}

/** After one side is gone the other gets this long for what is on its way. */
const lingerMs = 30_000

/** Joins them. `head`: bytes of `near` that were read before. Nothing is left of either when both have closed. */
export function joinSockets(near: Socket, far: Socket, head: Buffer, { onBytes }: JoinOptions = {}): void {
  if (onBytes !== undefined) {
    if (head.length > 0) onBytes(head.length, true)
    near.on('data', (chunk: Buffer) => onBytes(chunk.length, true))
    far.on('data', (chunk: Buffer) => onBytes(chunk.length, false))
  }
  if (head.length > 0) far.write(head)
  near.pipe(far)
  far.pipe(near)
  endTogether(near, far)
  endTogether(far, near)
}

function endTogether(one: Socket, other: Socket): void {
  one.on('error', () => {})
  one.once('close', () => {
    // Ended both ways, so that all its bytes are with the other; anything else is a broken connection, and is told as one.
    const isOrderly = one.readableEnded && one.writableFinished
    if (isOrderly) other.setTimeout(lingerMs, () => other.destroy())
    else reset(other)
  })
}

/** A peer must not take a broken connection for the end of an answer; a unix socket can only be closed. */
function reset(socket: Socket): void {
  if (socket.remoteAddress !== undefined) socket.resetAndDestroy()
  else socket.destroy()
}
