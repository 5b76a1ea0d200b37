import { expect, test } from 'vitest'
import { Cancellation, type CancelSignal } from './cancellation.ts'

/** The same steps for ours and for the platform's, so that one can stand in for the other. */
const kinds: readonly {
  readonly name: string
  readonly make: () => { readonly signal: CancelSignal; readonly cancel: (reason: unknown) => void }
}[] = [
  {
    name: 'Cancellation',
    make: () => {
      const signal = new Cancellation()
      return { signal, cancel: (reason) => signal.cancel(reason) }
    },
  },
  {
    name: 'AbortSignal',
    make: () => {
      const abort = new AbortController()
      return { signal: abort.signal, cancel: (reason) => abort.abort(reason) }
    },
  },
]

test.each(kinds)('$name tells its listeners once, with the first reason', ({ make }) => {
  const { signal, cancel } = make()
  const heard: string[] = []
  const left = (): void => void heard.push('left')
  signal.addEventListener('abort', () => heard.push(String(signal.reason)))
  signal.addEventListener('abort', left)
  signal.addEventListener('abort', left)
  signal.removeEventListener('abort', left)
  expect(signal.aborted).toBe(false)
  cancel('gone')
  cancel('again')
  signal.addEventListener('abort', () => heard.push('too late'))
  expect(heard).toEqual(['gone'])
  expect([signal.aborted, signal.reason]).toEqual([true, 'gone'])
})

test.each(kinds)('$name lets a listener take another one away while it is told', ({ make }) => {
  const { signal, cancel } = make()
  const own = (): void => signal.removeEventListener('abort', own)
  signal.addEventListener('abort', own, { once: true })
  expect(() => cancel('gone')).not.toThrow()
})
