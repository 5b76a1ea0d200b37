/** What is kept is its caller's alone, sealed, bounded, and gone in time; in every place where state can be. */
import { describe, expect, test } from 'vitest'
import { until } from '../../../../conformance/harness/until.ts'
import { stateBackends } from '../../state/backends.fixture.ts'
import { BackgroundAnswers } from './background-answers.ts'
import { keyOf } from './keeper.ts'
import { answer, keeperOf, type Who } from './keepers.fixture.ts'
import {
  beginAnswer,
  changeKept,
  claimEnd,
  endAnswer,
  findAnswer,
  findAnswerOfItem,
  forgetAnswer,
  keepUnderId,
  noteItems,
} from './kept-store.ts'

describe.each(stateBackends)('answers kept in $name', ({ make, isMissing }) => {
  test.skipIf(isMissing)('are found by another call of the same caller, as they were', async () => {
    await using shared = await make()
    const first = await keeperOf(shared)
    expect(await keepUnderId(first.keeper, answer('resp_1'))).toBe(true)
    await noteItems(first.keeper, keyOf(first.keeper, 'response', 'resp_1'), ['msg_resp_1'])
    await first.settle()
    const { keeper } = await keeperOf(shared)
    const found = await findAnswer(keeper, 'resp_1')
    expect(found).toMatchObject({ response: answer('resp_1').response, input: [{ role: 'user', content: 'A secret.' }], isOpen: false })
    expect(await findAnswerOfItem(keeper, 'msg_resp_1')).toBe(found?.key)
    // Nobody who reads the place reads what was said.
    expect(JSON.stringify(await keeper.services.state.get('response', found?.key ?? ''))).not.toContain('secret')
  })

  test.skipIf(isMissing)('are nobody else’s: another principal, application or agent', async () => {
    await using shared = await make()
    const first = await keeperOf(shared)
    await keepUnderId(first.keeper, answer('resp_1'))
    await noteItems(first.keeper, keyOf(first.keeper, 'response', 'resp_1'), ['msg_resp_1'])
    await first.settle()
    for (const who of [{ principal: 'bob' }, { consumer: null }, { actor: 'agent' }] satisfies Who[]) {
      const { keeper } = await keeperOf(shared, {}, who)
      expect(await findAnswer(keeper, 'resp_1')).toBeUndefined()
      expect(await findAnswerOfItem(keeper, 'msg_resp_1')).toBeUndefined()
    }
  })

  test.skipIf(isMissing)('are gone after their time, and when they are forgotten', async () => {
    await using shared = await make()
    const short = await keeperOf(shared, { ttl_ms: 300 })
    await keepUnderId(short.keeper, answer('resp_short'))
    await short.settle()
    const long = await keeperOf(shared)
    await keepUnderId(long.keeper, answer('resp_long'))
    await long.settle()
    await until('its end', async () => ((await findAnswer((await keeperOf(shared)).keeper, 'resp_short')) === undefined ? true : undefined))
    expect(await findAnswer((await keeperOf(shared)).keeper, 'resp_long')).toBeDefined()
    const last = await keeperOf(shared)
    await forgetAnswer(last.keeper, keyOf(last.keeper, 'response', 'resp_long'))
    expect(await findAnswer((await keeperOf(shared)).keeper, 'resp_long')).toBeUndefined()
  })

  test.skipIf(isMissing)('are so many at most: the oldest go', async () => {
    await using shared = await make()
    for (let at = 0; at < 200; at += 1) {
      const { keeper, settle } = await keeperOf(shared, { max_kept: 64 })
      await keepUnderId(keeper, answer(`resp_${at}`))
      await settle()
    }
    const { keeper } = await keeperOf(shared)
    const found = await Promise.all(Array.from({ length: 200 }, (_, at) => findAnswer(keeper, `resp_${at}`)))
    const there = found.flatMap((one, at) => (one === undefined ? [] : [at]))
    expect(there.length).toBeLessThanOrEqual(64)
    expect(there.length).toBeGreaterThan(30)
    expect(there.at(-1)).toBe(199)
    expect(there).toEqual(there.map((_, index) => 200 - there.length + index))
  })

  test.skipIf(isMissing)('are so large at most, one and all together', async () => {
    await using shared = await make()
    const text = 'x'.repeat(20_000)
    const one = await keeperOf(shared, { max_bytes: 10_000 })
    expect(await keepUnderId(one.keeper, answer('resp_large', text))).toBe(false)
    for (let at = 0; at < 20; at += 1) {
      const { keeper, settle } = await keeperOf(shared, { max_kept_bytes: 100_000 })
      await keepUnderId(keeper, answer(`resp_${at}`, text))
      await settle()
    }
    const { keeper } = await keeperOf(shared)
    const found = await Promise.all(Array.from({ length: 20 }, (_, at) => findAnswer(keeper, `resp_${at}`)))
    expect(found.filter((one) => one !== undefined).length).toBeLessThanOrEqual(5)
    expect(found.at(-1)).toBeDefined()
  })

  test.skipIf(isMissing)('are nobody’s when another one has the same id; the same once more is no other', async () => {
    await using shared = await make()
    const keep = async (...given: Parameters<typeof answer>): Promise<void> => {
      const { keeper, settle } = await keeperOf(shared)
      await keepUnderId(keeper, answer(...given))
      await noteItems(keeper, keyOf(keeper, 'response', given[0]), ['msg_same'])
      await settle()
    }
    const find = async (id: string) => findAnswer((await keeperOf(shared)).keeper, id)
    await keep('resp_1')
    await keep('resp_1', 'Noted.', 'mc_other')
    expect(await find('resp_1')).toBeDefined()
    expect(await findAnswerOfItem((await keeperOf(shared)).keeper, 'msg_same')).toBeDefined()
    await keep('resp_1', 'Another.', 'mc_third')
    expect(await find('resp_1')).toBeUndefined()
    await keep('resp_1', 'Another.', 'mc_third')
    expect(await find('resp_1')).toBeUndefined()
    await keep('resp_2')
    expect(await findAnswerOfItem((await keeperOf(shared)).keeper, 'msg_same')).toBeUndefined()
  })

  test.skipIf(isMissing)('that are made in the background end once', async () => {
    await using shared = await make()
    const begun = await keeperOf(shared)
    expect(await beginAnswer(begun.keeper, answer('resp_1', 'Not yet.'))).toBe(true)
    await begun.settle()
    expect(await findAnswer((await keeperOf(shared)).keeper, 'resp_1')).toMatchObject({ isOpen: true })
    const ends = await Promise.all(
      ['First.', 'Second.', 'Third.'].map(async (text) => endAnswer((await keeperOf(shared)).keeper, answer('resp_1', text))),
    )
    expect(ends.filter(Boolean)).toHaveLength(1)
    const found = await findAnswer((await keeperOf(shared)).keeper, 'resp_1')
    expect(found).toMatchObject({ isOpen: false })
    expect(JSON.stringify(found?.response)).toContain(['First.', 'Second.', 'Third.'][ends.indexOf(true)])
    // What was never begun, or was forgotten, has no end.
    expect(await endAnswer((await keeperOf(shared)).keeper, answer('resp_2'))).toBe(false)
  })

  test.skipIf(isMissing)('that are made in the background are cancelled until whoever makes them ends them', async () => {
    await using shared = await make()
    const begun = await keeperOf(shared)
    await beginAnswer(begun.keeper, answer('resp_1', 'Not yet.'))
    await begun.settle()
    expect(await claimEnd((await keeperOf(shared)).keeper, 'resp_1')).toBe(true)
    const cancelled = endAnswer((await keeperOf(shared)).keeper, answer('resp_1', 'Cancelled.'), { unlessEnding: true })
    expect(await cancelled).toBe(false)
    expect(await endAnswer((await keeperOf(shared)).keeper, answer('resp_1', 'Made.'))).toBe(true)
    // Cancelled before, it is too late to make anything of it.
    expect(await claimEnd((await keeperOf(shared)).keeper, 'resp_1')).toBe(false)
    expect(await claimEnd((await keeperOf(shared)).keeper, 'resp_2')).toBe(false)
  })

  test.skipIf(isMissing)('that were begun have an end, also where not a byte more would fit', async () => {
    await using shared = await make()
    const begun = await keeperOf(shared, { max_bytes: 1400 })
    const text = 'x'.repeat(1100)
    expect(await beginAnswer(begun.keeper, answer('resp_1', text))).toBe(true)
    await begun.settle()
    const longer = answer('resp_1', `${text}${'!'.repeat(300)}`)
    const keeper = async () => (await keeperOf(shared, { max_bytes: 1400 })).keeper
    expect(await endAnswer(await keeper(), longer)).toBe(false)
    expect(await endAnswer(await keeper(), longer, { isShort: true })).toBe(true)
  })

  test.skipIf(isMissing)('that are changed lose no change, and stay for as long as they are', async () => {
    await using shared = await make()
    const begun = await keeperOf(shared)
    await keepUnderId(begun.keeper, { ...answer('conv_1'), inputText: '[]', kind: 'conversation' })
    await begun.settle()
    const add = async (item: string) => {
      const { keeper, settle } = await keeperOf(shared, { max_kept: 64 })
      const changed = await changeKept(keeper, 'conv_1', (found) => ({ ...found, input: [...found.input, item] }))
      await settle()
      return changed
    }
    await Promise.all(Array.from({ length: 10 }, (_, at) => add(`${at}`)))
    const find = async () => findAnswer((await keeperOf(shared)).keeper, 'conv_1', 'conversation')
    expect((await find())?.input.toSorted()).toEqual(Array.from({ length: 10 }, (_, at) => `${at}`))
    expect(await findAnswer((await keeperOf(shared)).keeper, 'conv_1')).toBeUndefined()
    // Others come and go.
    for (let at = 0; at < 100; at += 1) {
      const { keeper, settle } = await keeperOf(shared, { max_kept: 64 })
      await keepUnderId(keeper, answer(`resp_${at}`))
      await settle()
      if (at % 10 === 0) await add(`more ${at}`)
    }
    expect((await find())?.input).toHaveLength(20)
    const { keeper } = await keeperOf(shared, { max_bytes: 1000 })
    expect(await changeKept(keeper, 'conv_1', (found) => ({ ...found, input: ['x'.repeat(2000)] }))).toBe('too large')
    expect(await changeKept(keeper, 'conv_2', (found) => found)).toBe('unknown')
  })

  test.skipIf(isMissing)('run in so many places at a time, whoever counts', async () => {
    await using shared = await make()
    const settings = { max_background: 3 }
    const asked = await Promise.allSettled(
      Array.from({ length: 6 }, async (_, at) => new BackgroundAnswers().reserve((await keeperOf(shared, settings)).keeper, `key${at}`)),
    )
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect(asked.find((one) => one.status === 'rejected')).toMatchObject({ reason: { code: 'response.too_many', status: 429 } })
    const running = asked.flatMap(({ status }, at) => (status === 'fulfilled' ? [`key${at}`] : []))
    const any = new BackgroundAnswers()
    for (const key of running) expect(await any.isRunning((await keeperOf(shared)).keeper, key)).toBe(true)
    await any.release((await keeperOf(shared)).keeper, running[0] ?? '')
    expect(await any.isRunning((await keeperOf(shared)).keeper, running[0] ?? '')).toBe(false)
    await any.reserve((await keeperOf(shared, settings)).keeper, 'key9')
    // Each caller has places of its own.
    await any.reserve((await keeperOf(shared, settings, { principal: 'bob' })).keeper, 'key0')
  })
})
