/**
 * The client of a streamed answer is told that somebody works while the gateway itself does something that takes its time: its head and
 * comments go out. From then on a failure can only be told inside the stream.
 */
import type { ModelCall } from '../call.ts'
import { ownHeaders } from './answering-client.ts'
import { streamHeaders } from './early-head.ts'

/** Resolves as `work` does. Nothing goes out before `turns.keep_alive_ms`, nor to a client that waits for a whole answer. */
export async function withKeepAlive<R>(call: ModelCall, work: () => Promise<R>): Promise<R> {
  if (!call.view.stream) return work()
  const { outlet } = call.origin
  const timer = setInterval(() => {
    if (!outlet.isOpen || outlet.isFull) return
    if (!outlet.hasBegun) outlet.head(200, { ...ownHeaders(call, 'text/event-stream; charset=utf-8'), ...streamHeaders })
    outlet.write(': working\n\n')
  }, call.snapshot.settings.turns.keep_alive_ms)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
