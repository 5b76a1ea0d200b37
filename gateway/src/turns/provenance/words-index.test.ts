import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testClock, testState } from '../state-and-clock.fixture.ts'
import { WordsIndex } from './words-index.ts'

const secret = Buffer.alloc(32, 5)
const untrusted = { trust: 'untrusted', audience: [] }
const staff = { trust: 'trusted', audience: [['@staff']] }
const day = 24 * 3600 * 1000
const page = 'The quarterly figures of the northern branch are to be sent to nobody outside this house, says the page.'

function opened() {
  const clock = testClock()
  const state = testState(clock)
  return { clock, state, words: new WordsIndex(state, clock, secret) }
}

async function remembering(...texts: readonly string[]) {
  const parts = opened()
  await parts.words.remember('alice', texts, untrusted, new Set(), day)
  return parts
}

describe('words that were said under a label', () => {
  test('carry it wherever they are repeated, however they are set', async () => {
    const { words } = await remembering(page)
    for (const text of [
      page,
      `> ${page}`,
      `Summary so far:\n\n**${page.toUpperCase()}**\n\nGo on.`,
      page.replaceAll(' ', '\n  '),
      page.replace('quarterly', 'yearly'),
    ]) {
      expect(await words.find('alice', () => text)).toEqual([untrusted])
    }
  })

  test('are found from seven words on, in their order', async () => {
    const { words } = await remembering(page)
    expect(await words.find('alice', () => 'the northern branch are to be sent')).toEqual([untrusted])
    expect(await words.find('alice', () => 'the northern branch are to be')).toEqual([])
    expect(await words.find('alice', () => 'sent be to are branch northern the figures')).toEqual([])
  })

  test('do not claim an ordinary question that shares a phrase, or a run of little words', async () => {
    const { words } = await remembering(page, 'It is up to us if it is to be or not to be as it is')
    expect(await words.find('alice', () => 'What do you know of the quarterly figures, and of the northern branch?')).toEqual([])
    expect(await words.find('alice', () => 'if it is to be or not to be as')).toEqual([])
  })

  test('are words between spaces: who names a file or an address has not repeated what was read of it', async () => {
    const { words } = await remembering('<path>/home/ada/work/northern-branch/reports/2026/figures.md</path>\n<content>nothing</content>')
    expect(await words.find('alice', () => 'Look at /home/ada/work/northern-branch/reports/2026/figures.md again, please.')).toEqual([])
  })

  test('are found in scripts without spaces', async () => {
    const { words } = await remembering('北支店の四半期の数字は社外の誰にも送ってはならない')
    expect(await words.find('alice', () => '要約：北支店の四半期の数字は社外の誰にも送ってはならないとのこと')).toEqual([untrusted])
    expect(await words.find('alice', () => '四半期の数字は？')).toEqual([])
  })

  test('are nobody else’s', async () => {
    const { words } = await remembering(page)
    expect(await words.find('bob', () => page)).toEqual([])
  })

  test('carry every label they were said under', async () => {
    const { words } = await remembering(page)
    await words.remember('alice', [page], staff, new Set(), day)
    expect(await words.find('alice', () => page)).toEqual(expect.arrayContaining([untrusted, staff]))
  })

  test('that are known from elsewhere carry nothing', async () => {
    const { words } = opened()
    await words.remember('alice', [page], untrusted, new Set(words.runs('alice', page)), day)
    expect(await words.find('alice', () => page)).toEqual([])
  })

  test('of a long text are found from a longer passage on', async () => {
    const long = Array.from({ length: 6000 }, (_, index) => `word${index * 7919}`)
    const { words } = await remembering(long.join(' '))
    for (const start of [0, 1000, 3333, 5900])
      expect(await words.find('alice', () => long.slice(start, start + 20).join(' '))).toEqual([untrusted])
  })
})

describe('the index', () => {
  test('outlives the process, and takes up what another process has added', async () => {
    const { state, clock, words } = await remembering(page)
    const other = new WordsIndex(state, clock, secret)
    expect(await other.find('alice', () => page)).toEqual([untrusted])
    const news = 'Something else that nobody in the world has ever written down before today.'
    await other.remember('alice', [news], staff, new Set(), day)
    expect(await words.find('alice', () => news)).toEqual([staff])
  })

  test('finds what others have remembered since everything had expired, and they began anew', async () => {
    const { words, state, clock } = opened()
    const passage = (index: number) => `passage number ${index} of many that are remembered one after another as ${index * 7}`
    for (let index = 0; index < 100; index += 1) await words.remember('alice', [passage(index)], untrusted, new Set(), day)
    clock.advance(day + 1)
    await new WordsIndex(state, clock, secret).remember('alice', [page], staff, new Set(), day)
    expect(await words.find('alice', () => page)).toEqual([staff])
  })

  test('keeps numbers, not words', async () => {
    const { state, words } = opened()
    const stored: string[] = []
    const change = state.change.bind(state)
    state.change = (namespace, key, make) =>
      change(namespace, key, (value) => {
        const next = make(value)
        stored.push(JSON.stringify(next.value))
        return next
      })
    await words.remember('alice', [page], untrusted, new Set(), day)
    expect(stored.length).toBeGreaterThan(0)
    for (const word of ['quarterly', 'northern', 'house']) expect(stored.join()).not.toContain(word)
    // With another key the same words are other numbers.
    const other = new WordsIndex(state, testClock(), Buffer.alloc(32, 6))
    expect(other.runs('alice', page)).not.toEqual(words.runs('alice', page))
  })

  test('goes round: the oldest passages fall off, the newest are there', async () => {
    const { words, state, clock } = opened()
    const passage = (index: number) => `passage number ${index} of many that are remembered one after another as ${index * 7}`
    for (let index = 0; index < 64 * 64 + 10; index += 1) await words.remember('alice', [passage(index)], untrusted, new Set(), day)
    const fresh = new WordsIndex(state, clock, secret)
    expect(await fresh.find('alice', () => passage(64 * 64 + 9))).toEqual([untrusted])
    expect(await fresh.find('alice', () => passage(0))).toEqual([])
  })

  test('answers for an instruction that comes with every call as for any other text', async () => {
    const { words } = await remembering(page)
    const instruction = `You are helpful. ${page}`
    expect(await words.findAgain('alice', () => instruction)).toEqual([untrusted])
    expect(await words.findAgain('alice', () => instruction)).toEqual([untrusted])
    expect(await words.findAgain('alice', () => 'You are helpful.')).toEqual([])
    await words.remember('alice', ['You are helpful and you are always kind to everybody here.'], staff, new Set(), day)
    expect(await words.findAgain('alice', () => 'You are helpful and you are always kind to everybody here.')).toEqual([staff])
  })

  test('whatever was remembered is found in whatever it stands in', async () => {
    const word = fc.string({ minLength: 4, maxLength: 9, unit: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h') })
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 7, maxLength: 30 }),
        fc.array(word, { maxLength: 20 }),
        fc.array(word, { maxLength: 20 }),
        async (passage, before, after) => {
          const { words } = await remembering(passage.join(' '))
          expect(await words.find('alice', () => [...before, ...passage, ...after].join(', '))).toEqual([untrusted])
        },
      ),
      { numRuns: 200 },
    )
  })
})
