/** What a cancelled request ends with, and waiting that ends with it. */
import type { CancelSignal } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'

/** The error an aborted signal stands for. */
export function abortedError(signal: CancelSignal): TurnwardError {
  if (signal.reason instanceof TurnwardError) return signal.reason
  return new TurnwardError(
    signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError' ? 'mcp.server_timeout' : 'request.cancelled',
  )
}

/** A shared promise, but no longer than this caller wants. Rejects with what the signal was aborted for. */
export function waitFor<T>(promise: Promise<T>, signal: CancelSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(abortedError(signal))
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(abortedError(signal))
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
