/** A signal that ends by itself after a time, and before that with another one. */
import { type CancelSignal, following } from '../../../core/cancellation.ts'
import { ServiceFailure } from '../examiner.ts'

export function followingFor(signal: CancelSignal, ms: number): { readonly signal: CancelSignal; readonly stop: () => void } {
  const { own, stop } = following(signal)
  const timer = setTimeout(() => own.cancel(new ServiceFailure('it did not answer in time')), ms)
  return {
    signal: own,
    stop: () => {
      clearTimeout(timer)
      stop()
    },
  }
}
