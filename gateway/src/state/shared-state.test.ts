/** What the shared state promises, wherever it is kept: two gateways on one state, as the table of backends opens them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stateBackends, type SharedState } from './backends.fixture.ts'
import { add, pop, push } from './state-operations.ts'
import type { StateStore } from './state-store.ts'
import type { Ticket } from './state-values.ts'

const soon = (): number => Date.now() + 60_000
let keys = 0
const newKey = (): string => `k${(keys += 1)}`

describe.each(stateBackends)('state of two gateways ($name)', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('shared', () => {
    let shared: SharedState
    let here: StateStore
    let there: StateStore

    beforeAll(async () => {
      shared = await make()
      here = await shared.open()
      there = await shared.open()
    })
    afterAll(() => shared[Symbol.asyncDispose]())

    test('what one puts the other gets', async () => {
      const key = newKey()
      await here.put('note', key, { text: 'a "text"\nof two lines', tools: ['t'] }, soon())
      expect(await there.get('note', key)).toEqual({ text: 'a "text"\nof two lines', tools: ['t'] })
      expect(await there.get('splice', key)).toBeUndefined()
    })

    test('what is removed is gone for both, and can come back', async () => {
      const key = newKey()
      await here.put('count', key, 1, soon())
      const taken = await there.change('count', key, (value) => ({ value: undefined, expires: 0, result: value }))
      expect(taken).toBe(1)
      expect(await here.get('count', key)).toBeUndefined()
      await here.put('count', key, 2, soon())
      expect(await there.get('count', key)).toBe(2)
    })

    test('what has expired is gone', async () => {
      const key = newKey()
      await here.put('count', key, 1, Date.now() + 30)
      await expect.poll(() => there.get('count', key)).toBeUndefined()
    })

    test('the same value again changes nothing', async () => {
      const key = newKey()
      await here.put('note', key, { text: 'x', tools: [] }, soon())
      expect(await there.change('note', key, (value) => ({ value, expires: 0, result: value?.text }))).toBe('x')
      expect(await here.get('note', key)).toEqual({ text: 'x', tools: [] })
    })

    test('a change that throws changes nothing', async () => {
      const key = newKey()
      await here.put('count', key, 5, soon())
      const failing = async (): Promise<unknown> =>
        here.change('count', key, () => {
          throw new Error('no')
        })
      await expect(failing()).rejects.toThrow('no')
      expect(await there.get('count', key)).toBe(5)
    })

    test('what is announced with a change is heard by whoever listens, and is there by then', async () => {
      // Where there is one process everybody has the same state, and hears of changes without it.
      if (there.listen === undefined) return expect(there).toBe(here)
      const [key, topic] = [newKey(), newKey()]
      const heard = Promise.withResolvers<number>()
      const stop = there.listen(topic, async () => {
        const value = await there.get('count', key)
        if (value === 7) heard.resolve(value)
      })
      await here.change('count', key, () => ({ value: 7, expires: soon(), result: undefined, announce: topic }))
      await heard.promise
      return stop()
    })

    test('no count is lost, whoever counts at once', async () => {
      const key = newKey()
      const both = [here, there]
      await Promise.all(Array.from({ length: 40 }, async (_, at) => add(both[at % 2] as StateStore, 'count', key, 1, soon())))
      expect(await here.get('count', key)).toBe(40)
    })

    test('what is pushed is popped once', async () => {
      const key = newKey()
      const ticket = (callId: string): Ticket => ({
        session: 's',
        turn: null,
        modelCall: 'm',
        callId,
        callKey: callId,
        decision: callId,
        expires: soon(),
      })
      await Promise.all(
        Array.from({ length: 8 }, async (_, at) => push(here, 'ticket', key, ticket(`${at}`), { most: 8, expires: soon() })),
      )
      const popped = await Promise.all(Array.from({ length: 12 }, async () => pop(there, 'ticket', key, soon())))
      expect(popped.flatMap((one) => (one === undefined ? [] : [one.callId])).sort()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
    })
  })
})
