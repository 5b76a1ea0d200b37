/** Looks after a session while it lasts: both sides are there, the caller is still welcome, and nothing lasts for ever. */
import type { WebSocket } from 'ws'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'

/** How often a side is asked whether it is there; one that did not answer by then is gone. */
const askEveryMs = 30_000
/** As long as the vendor lets a session last. */
const longestMs = 60 * 60_000

/** `renew` rejects when the caller may not go on. The result stops it. */
export function keepAlive(client: WebSocket, upstream: WebSocket, renew: () => Promise<void>, fail: (error: unknown) => void): () => void {
  const heard = new Set<WebSocket>([client, upstream])
  const listeners = [client, upstream].map((socket) => {
    const listener = (): void => {
      heard.add(socket)
    }
    for (const event of ['pong', 'message'] as const) socket.on(event, listener)
    return () => {
      for (const event of ['pong', 'message'] as const) socket.off(event, listener)
    }
  })
  const asking = setInterval(() => {
    if (!heard.delete(client)) return fail(new TurnwardError('request.cancelled'))
    if (!heard.delete(upstream)) return fail(new TurnwardError('upstream.timeout', { why: 'it does not answer any more' }))
    client.ping()
    upstream.ping()
    renew().catch((error: unknown) => {
      // While nobody can say who is welcome, those who are here stay.
      if (/^(?:auth|grant)\./.test(asTurnwardError(error).code)) fail(error)
    })
  }, askEveryMs)
  const ending = setTimeout(() => fail(new TurnwardError('realtime.expired')), longestMs)
  return () => {
    clearInterval(asking)
    clearTimeout(ending)
    for (const stop of listeners) stop()
  }
}
