import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BoundedMap } from './bounded-map.ts'

describe('the bounded map', () => {
  test('never holds more than its bounds, and tells of every living value that fell out', () => {
    const step = fc.record({ key: fc.nat(9), size: fc.nat(30), act: fc.constantFrom('set', 'get', 'delete') })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 60 }), fc.array(step), (most, maxBytes, steps) => {
        const dropped = new Set<string>()
        const map = new BoundedMap<number, string>({ most, maxBytes, dropped: (_, value) => dropped.add(value) })
        const expected = new Map<number, { value: string; size: number }>()
        for (const [index, { key, size, act }] of steps.entries()) {
          if (act === 'get') map.get(key)
          else if (act === 'delete') {
            map.delete(key)
            expected.delete(key)
          } else {
            map.set(key, `v${index}`, { size })
            expected.set(key, { value: `v${index}`, size })
          }
          for (const [known, { value }] of expected) if (dropped.has(value)) expected.delete(known)
          expect(map.size).toBeLessThanOrEqual(most)
          expect(map.bytes).toBeLessThanOrEqual(maxBytes)
          expect(map.size).toBe(expected.size)
          expect(map.bytes).toBe([...expected.values()].reduce((sum, one) => sum + one.size, 0))
        }
        for (const [key, { value }] of expected) expect(map.get(key)).toBe(value)
        expect(map.hasDropped).toBe(dropped.size > 0)
      }),
    )
  })

  test('the least recently used falls out first', () => {
    const map = new BoundedMap<string, number>({ most: 2 })
    map.set('a', 1)
    map.set('b', 2)
    map.get('a')
    map.set('c', 3)
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3])
  })

  test('drops in the order of use whatever is set, read, deleted and swept in between', () => {
    const step = fc.record({ key: fc.nat(7), act: fc.constantFrom('set', 'get', 'delete', 'sweep') })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), (most, steps) => {
        const dropped: number[] = []
        const map = new BoundedMap<number, number>({ most, dropped: (key) => dropped.push(key) })
        // The oldest first; as long as there is plenty of room nobody asks for the order, so reading does not change it.
        let order: number[] = []
        const expected: number[] = []
        const isFilling = (): boolean => order.length * 2 > most
        const toEnd = (key: number): void => void (order = [...order.filter((one) => one !== key), key])
        for (const { key, act } of steps) {
          if (act === 'sweep') map.sweep(0, 3)
          else if (act === 'delete') {
            map.delete(key)
            order = order.filter((one) => one !== key)
          } else if (act === 'get') {
            map.get(key)
            if (order.includes(key) && isFilling()) toEnd(key)
          } else {
            map.set(key, key)
            if (!order.includes(key) || isFilling()) toEnd(key)
            while (order.length > most) expected.push(order.shift() ?? -1)
          }
          expect(dropped).toEqual(expected)
        }
      }),
    )
  })

  test('what has expired is not handed out, is swept, and is not told as dropped', () => {
    const dropped: string[] = []
    const map = new BoundedMap<string, number>({ most: 3, dropped: (key) => dropped.push(key) })
    map.set('a', 1, { expires: 10 })
    map.set('b', 2, { expires: 20 })
    expect([map.get('a', 9), map.get('a', 10), map.size]).toEqual([1, undefined, 1])
    map.sweep(20, 5)
    expect([map.size, map.hasDropped, dropped]).toEqual([0, false, []])
  })

  test('a cleared map is empty, and has room again', () => {
    const map = new BoundedMap<string, number>({ most: 5, maxBytes: 10 })
    map.set('a', 1, { size: 10 })
    map.clear()
    map.set('b', 2, { size: 10 })
    expect([map.size, map.bytes, map.get('a'), map.get('b'), map.hasDropped]).toEqual([1, 10, undefined, 2, false])
  })

  test('a smaller bound holds at once', () => {
    const dropped: string[] = []
    const map = new BoundedMap<string, number>({ most: 3, dropped: (key) => dropped.push(key) })
    for (const key of ['a', 'b', 'c']) map.set(key, 0)
    map.resize(1)
    expect(dropped).toEqual(['a', 'b'])
  })
})
