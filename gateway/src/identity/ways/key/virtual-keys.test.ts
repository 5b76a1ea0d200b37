import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { displayPrefix, looksLikeVirtualKey, newVirtualKey, virtualKeyHash } from './virtual-keys.ts'

describe('a virtual key', () => {
  test('is tw_ and 43 base62 characters, and never the same', () => {
    const keys = new Set(Array.from({ length: 500 }, newVirtualKey))
    expect(keys.size).toBe(500)
    for (const key of keys) expect(key).toMatch(/^tw_[0-9A-Za-z]{43}$/)
  })

  test('is recognised, and not when it was cut off or lengthened', () => {
    const key = newVirtualKey()
    expect(looksLikeVirtualKey(key)).toBe(true)
    expect(looksLikeVirtualKey(key.slice(0, -1))).toBe(false)
    expect(looksLikeVirtualKey(`${key}a`)).toBe(false)
    expect(looksLikeVirtualKey(`${key}\n`)).toBe(false)
    expect(looksLikeVirtualKey('')).toBe(false)
  })

  test('is not recognised when its check character is another', () => {
    const key = newVirtualKey()
    const other = key.endsWith('A') ? 'B' : 'A'
    expect(looksLikeVirtualKey(key.slice(0, -1) + other)).toBe(false)
  })

  test('is hashed under the secret of the server', () => {
    const key = newVirtualKey()
    const secret = randomBytes(32)
    expect(virtualKeyHash(secret, key)).toBe(virtualKeyHash(secret, key))
    expect(virtualKeyHash(secret, key)).not.toBe(virtualKeyHash(randomBytes(32), key))
    expect(virtualKeyHash(secret, key)).not.toContain(key.slice(3, 10))
  })

  test('shows only its first six random characters', () => {
    const key = newVirtualKey()
    expect(displayPrefix(key)).toBe(key.slice(0, 9))
  })
})
