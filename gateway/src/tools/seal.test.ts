/** Sealed tokens open for their own purpose and bindings, and for nothing else. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSealer } from './seal.ts'

const secret = Buffer.alloc(32, 5)

test('a token of one purpose is nothing to another, whatever it is bound to', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 8 }), { maxLength: 3 }), (boundTo) => {
      const token = createSealer(secret, 'cursor').seal({ at: 1 }, boundTo)
      expect(createSealer(secret, 'cursor').open(token, boundTo)).toEqual({ at: 1 })
      expect(createSealer(secret, 'session').open(token, boundTo)).toBeUndefined()
      expect(createSealer(Buffer.alloc(32, 6), 'cursor').open(token, boundTo)).toBeUndefined()
    }),
  )
})

test('a token opens with exactly the bindings it was sealed with', () => {
  const parts = fc.array(fc.constantFrom('a', 'b', 'ab', '', '1:a'), { maxLength: 3 })
  fc.assert(
    fc.property(parts, parts, (boundTo, presented) => {
      const sealer = createSealer(secret, 'session')
      const opened = sealer.open(sealer.seal({ s: 'x' }, boundTo), presented)
      expect(opened).toEqual(JSON.stringify(boundTo) === JSON.stringify(presented) ? { s: 'x' } : undefined)
    }),
  )
})
