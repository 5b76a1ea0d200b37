import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exposedName, withoutCollisions } from '../core/exposed-names.ts'
import { createSealer } from './seal.ts'

test('a plain tool is server__tool', () => {
  expect(exposedName('github', 'create_issue')).toBe('github__create_issue')
})

test('every exposed name is at most 64 allowed characters, and different tools have different names', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 120 }), fc.string({ unit: 'grapheme', maxLength: 120 }), (one, other) => {
      expect(exposedName('server', one)).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
      if (one !== other) expect(exposedName('server', one)).not.toBe(exposedName('server', other))
    }),
  )
})

test('a name that several claim belongs to none of them and is reported', () => {
  const { unique, collisions } = withoutCollisions([{ name: 'a' }, { name: 'b' }, { name: 'a' }])
  expect(unique).toEqual([{ name: 'b' }])
  expect([...collisions]).toEqual(['a'])
})

test('a sealed token opens only with its own purpose, bindings, secret and bytes', () => {
  const sealer = createSealer(Buffer.alloc(32, 1), 'cursor')
  const token = sealer.seal({ a: 1 }, ['ab', 'c'])
  expect(sealer.open(token, ['ab', 'c'])).toEqual({ a: 1 })
  expect(sealer.open(token, ['a', 'bc'])).toBeUndefined()
  expect(createSealer(Buffer.alloc(32, 1), 'session').open(token, ['ab', 'c'])).toBeUndefined()
  expect(createSealer(Buffer.alloc(32, 2), 'cursor').open(token, ['ab', 'c'])).toBeUndefined()
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom('A', 'B', '_', '='), (at, char) => {
      const forged = token.slice(0, at) + char + token.slice(at + 1)
      if (forged !== token) expect(sealer.open(forged, ['ab', 'c'])).toBeUndefined()
    }),
  )
})
