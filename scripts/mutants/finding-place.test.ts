import { describe, expect, test } from 'vitest'
import { readFaults, type Fault } from './fault.ts'
import { findPlace, withFault } from './finding-place.ts'
import { sourceOf, type Source } from './sources.ts'

const pool = `
const patterns = { name: /["'\`]/, all: [1, 2] }

export function sizeOf(items: readonly string[]): number {
  return items.filter((item) => item !== 'a').length
}

export class Pool {
  #waiting: string[] = []

  next(): string | undefined {
    return this.#waiting.length === 0 ? undefined : this.#waiting.at(0)
  }

  #leave = (item: string): void => {
    this.#waiting = this.#waiting.filter((other) => other !== item)
  }

  get label() {
    return \`\${this.#waiting.length}: \${this.#waiting.map((item) => \`<\${item}>\`).join()}\`
  }
}
`
const file = 'gateway/src/models/pool.ts'
const base: Fault = { name: 'it', place: 'sizeOf', stem: 'pool', from: "item !== 'a'", to: 'true', tests: ['pool'] }

function broken(change: Partial<Fault>, text = pool, others: readonly Source[] = []): string {
  const fault = { ...base, ...change }
  return withFault(findPlace(fault, [sourceOf(file, text), ...others]), fault)
}

describe('a fault finds its place', () => {
  test.each<[string, Partial<Fault>, string, string]>([
    ['in a function', { place: 'sizeOf' }, "item !== 'a'", 'filter((item) => true).length'],
    ['in a method', { place: 'Pool.next', from: 'at(0)', to: 'at(-1)' }, 'at(0)', 'this.#waiting.at(-1)'],
    ['in a private one, by its name alone', { place: '#leave', from: 'other !== item' }, 'other !== item', 'filter((other) => true)'],
    ['in a constant', { place: 'patterns', from: '[1, 2]', to: '[]' }, '[1, 2]', 'all: [] }'],
    ['in a member of one', { place: 'patterns.name', from: '/["\'`]/', to: '/x/' }, '/["\'`]/', 'name: /x/,'],
    ['in a template within a template', { place: 'label', from: '`<${item}>`', to: 'item' }, '`<${item}>`', '(item) => item).join()'],
  ])('%s', (_title, change, gone, there) => {
    const text = broken(change)
    expect(text).toContain(there)
    expect(text).not.toContain(gone)
    expect(text.length).toBe(pool.length - gone.length + (change.to ?? 'true').length)
  })

  test.each([
    [
      'line breaks and remarks',
      "  return items\n    .filter(\n      // Not the first.\n      (item) =>\n        item !== 'a',\n    ).length\n",
    ],
    ['quotes', '  return items.filter((item) => item !== "a").length'],
    ['semicolons', "  return items.filter((item) => item !== 'a').length;"],
    ['the parentheses around one parameter', "  return items.filter(item => item !== 'a').length"],
  ])('whatever is done to %s', (_title, line) => {
    const from = "return items.filter((item) => item !== 'a').length"
    const text = broken({ from, to: 'return 0' }, pool.replace(/ {2}return items\.filter.*/, line))
    expect(text).toMatch(/number \{\s+return 0;?\s+\}/)
  })

  test('in another file than it says, when the function moved', () => {
    expect(broken({ stem: 'sizes' })).toContain('(item) => true')
  })

  test('in the file it says, when another has such a function', () => {
    const other = sourceOf('gateway/src/tools/fleet.ts', pool)
    expect(findPlace(base, [other, sourceOf(file, pool)]).source.file).toBe(file)
  })

  test('not as a part of a word', () => {
    expect(() => broken({ from: 'ite' })).toThrow()
    expect(() => broken({ from: '= this.#waiting', place: 'Pool.next' })).toThrow()
  })
})

describe('a fault that lost its place says so', () => {
  test.each([
    [
      'the function was renamed',
      { place: 'lengthOf' },
      'it: there is no `lengthOf` any more; such words stand in `sizeOf` of gateway/src/models/pool.ts',
    ],
    ['the words are gone', { from: "item !== 'b'" }, "it: `sizeOf` (gateway/src/models/pool.ts) does not hold `item !== 'b'` any more"],
    [
      'the words went to another function',
      { from: 'other !== item' },
      'it: `sizeOf` (gateway/src/models/pool.ts) does not hold `other !== item` any more; such words stand in `Pool.#leave` of gateway/src/models/pool.ts',
    ],
    ['the words are there twice', { from: 'item' }, 'it: `sizeOf` (gateway/src/models/pool.ts) holds `item` 2 times'],
    ['nothing would change', { from: "item !== 'a'", to: 'item !== "a"' }, 'it: it changes nothing'],
    ['it names no words', { from: '' }, 'it: it does not say what it changes'],
  ])('%s', (_title, change, message) => {
    expect(() => broken(change)).toThrow(new Error(message))
  })

  test('two functions of one name hold the words, and the file it says is gone', () => {
    const other = sourceOf('gateway/src/tools/fleet.ts', pool)
    expect(() => broken({ stem: 'sizes' }, pool, [other])).toThrow("holds `item !== 'a'` 2 times")
  })
})

describe('a file of faults', () => {
  test('is read as it stands there', () => {
    const text =
      '# Remark.\n\none-fault in Pool.#next of models/pool, noticed by pool, models/\n- if (a)\n-   return b\n+ return c\n\nother in f of g, noticed by h*\n- x\n'
    expect(readFaults(text)).toEqual([
      {
        name: 'one-fault',
        place: 'Pool.#next',
        stem: 'models/pool',
        from: 'if (a)\n  return b',
        to: 'return c',
        tests: ['pool', 'models/'],
      },
      { name: 'other', place: 'f', stem: 'g', from: 'x', to: '', tests: ['h*'] },
    ])
  })

  test.each(['- x\n', 'a fault\n', 'name in f of g\n- x\n', 'name in f of g, noticed by \n- x\n'])(
    'with a line that is no part of one is refused: %j',
    (text) => {
      expect(() => readFaults(text)).toThrow(/^line 1 is no part of a fault/)
    },
  )
})
