/**
 * Tells work under way that nobody waits for it any more. What an AbortSignal is, as far as a call needs it, without the
 * event target behind it: every model call makes one.
 */

/** An AbortSignal is one of these too. */
export interface CancelSignal {
  readonly aborted: boolean
  /** What the work was cancelled for. */
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export class Cancellation implements CancelSignal {
  aborted = false
  reason: unknown
  #listeners: (() => void)[] = []

  /** Tells every listener, once. Later calls change nothing. */
  cancel(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    const listeners = this.#listeners
    this.#listeners = []
    for (const listener of listeners) listener()
  }

  /** A listener hears of it at most once; one that comes too late hears nothing, as with an AbortSignal. */
  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.aborted && !this.#listeners.includes(listener)) this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener)
    if (at >= 0) this.#listeners.splice(at, 1)
  }
}

/** A cancellation of its own that follows a signal, also one that was aborted before, until `stop` is called. */
export function following(signal: CancelSignal): { readonly own: Cancellation; readonly stop: () => void } {
  const own = new Cancellation()
  const cancel = (): void => own.cancel(signal.reason)
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  return { own, stop: () => signal.removeEventListener('abort', cancel) }
}
