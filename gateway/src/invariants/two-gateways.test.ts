/**
 * Invariants 1, 4 and 6 where two gateways serve the same sessions: each has its own caches, they share one state that
 * takes its time, and others come between any two operations on it.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import type { PolicyState } from '../policy/types.ts'
import type { StateStore } from '../state/state-store.ts'
import { sessionIdFor } from '../turns/sessions/naming-session.ts'
import { SessionRegistry } from '../turns/sessions/session-registry.ts'
import { testClock, testState } from '../turns/state-and-clock.fixture.ts'
import { WordsIndex } from '../turns/provenance/words-index.ts'
import { delayedState } from './delayed-state.fixture.ts'
import { sharingWays } from './sharing.fixture.ts'
import { forCall } from '../turns/state-of-call.ts'
import { configOf, keys, openFloors, type Floors } from './floors.fixture.ts'
import { vendorConfig, wires } from './vendors.fixture.ts'

const contracts = {
  office__web: { output: { trust: 'untrusted' }, effects: ['read'] },
  office__staff: { output: { trust: 'trusted', audience: ['@staff'] }, effects: ['asked'] },
  office__once: { output: { trust: 'trusted' }, effects: ['paid'], requires: { not_done: ['paid'] } },
  office__note: { output: { trust: 'trusted' }, effects: ['noted'] },
  office__mail: { output: { trust: 'trusted' }, effects: ['mailed'], requires: { trust: 'trusted' } },
  office__never: { output: { trust: 'trusted' }, requires: { done: ['nothing ever does this'] } },
}
const tools = Object.fromEntries(Object.keys(contracts).map((name) => [name, {}]))
const readings = ['office__web', 'office__staff', 'office__once', 'office__note', 'office__mail'] as const

/** What is shared, as a gateway that has just started reads it. */
async function stored(state: StateStore, { services }: Floors, id: string): Promise<PolicyState | undefined> {
  const { policy } = services.snapshot()
  const { state: seen, clock } = forCall({ ...services, state }, { principal: { id: 'alice' } })
  return (await new SessionRegistry(seen, clock).find(id, policy, 3_600_000))?.policyState
}

const gateway = fc.constantFrom(0, 1)
const step = fc.record({ gateway, session: fc.constantFrom('one', 'two'), tool: fc.constantFrom(...readings) })

describe.each(sharingWays)('tool calls of one session at two gateways over $way', ({ isMissing, share, open }) => {
  test.skipIf(isMissing)('together narrow its label, pay once, leave nothing reserved, and lose no effect', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 4 }), async (seed, rounds) => {
        await using shared = await open(seed)
        const config = configOf({ contracts })
        await using first = await openFloors({ config, tools, state: shared.here })
        await using second = await openFloors({ config, tools, state: shared.there })
        const both = [first, second]
        const ran = new Map<string, string[]>()
        for (const round of rounds) {
          const before = new Map([...ran].map(([session, names]) => [session, [...names]]))
          await Promise.all(
            round.map(async (one) => {
              const floors = both[one.gateway] ?? first
              const context = await floors.context(keys.alice, 'x', 'main', { 'x-turnward-session': one.session })
              const { isError } = await floors.call(context, one.tool)
              // What any gateway has read before counts at every gateway.
              if (one.tool === 'office__mail' && before.get(one.session)?.includes('office__web') === true) expect(isError).toBe(true)
              if (isError !== true) ran.set(one.session, [...(ran.get(one.session) ?? []), one.tool])
            }),
          )
          for (const [name, names] of ran) {
            const { caller } = await first.context(keys.alice, 'x')
            const id = sessionIdFor(first.services.secret, caller, { source: 'header', value: name })
            const found = await stored(shared.here, first, id)
            const audience = names.includes('office__staff') ? [['@staff']] : []
            expect(found?.label).toEqual({ trust: names.includes('office__web') ? 0 : 1, audience })
            expect(found?.effects.reserved).toEqual({})
            expect(found?.effects.done).toEqual(
              [...new Set(names.map((tool) => contracts[tool as (typeof readings)[number]].effects[0]))].sort(),
            )
            expect(names.filter((tool) => tool === 'office__once').length).toBeLessThanOrEqual(1)
          }
        }
      }),
      { numRuns: Math.ceil((40 * share) / 100) },
    )
  })
})

describe.each(sharingWays)('conversations that go from gateway to gateway over $way', ({ isMissing, share, open }) => {
  const conversation = fc.record({ asks: gateway, calls: gateway, goesOn: gateway, tool: fc.constantFrom('office__note', 'office__web') })

  test.skipIf(isMissing).each(wires)(
    'keep their calls, tickets, dropped calls and labels ($kind, stream: $stream)',
    async ({ kind, path, stream }) => {
      await fc.assert(
        fc.asyncProperty(fc.integer(), fc.array(conversation, { minLength: 1, maxLength: 5 }), async (seed, conversations) => {
          await using shared = await open(seed)
          await using vendor = await startVendor((request) => {
            const text = JSON.stringify(request.body.messages)
            const number = Number(/conversation (\d+)/.exec(text)?.[1])
            if (text.includes(`result ${number}`)) return say(request, { text: `Done ${number}.` })
            const calls = [
              { id: `never_${number}`, name: 'office__never', args: { number } },
              { id: `call_${number}`, name: conversations[number]?.tool ?? '', args: { number } },
            ]
            return say(request, { calls })
          })
          const config = vendorConfig(kind, vendor.url, { contracts })
          const answers = { content: [{ type: 'text', text: 'done' }] }
          const running = Object.fromEntries(Object.keys(contracts).map((name) => [name, { run: () => answers }]))
          await using first = await openFloors({ config, tools: running, state: shared.here })
          await using second = await openFloors({ config, tools: running, state: shared.there })
          const at = (index: number): Floors => [first, second][index] ?? first
          const ask = (index: number, messages: readonly object[]) =>
            post(`${at(index).url}${path}`, keys.alice, { model: 'm', max_tokens: 100, stream, messages })
          await Promise.all(
            conversations.map(async ({ asks, calls, goesOn, tool }, number) => {
              const user = { role: 'user', content: `conversation ${number}` }
              const answer = await ask(asks, [user])
              expect(answer.text).toContain(`call_${number}`)
              expect(answer.text).not.toContain(`never_${number}`)
              const called = await at(calls).call(await at(calls).context(keys.alice, 'x'), tool, { number })
              expect(called.isError).not.toBe(true)
              const end = await ask(goesOn, [user, ...historyOf(kind, number, tool)])
              expect(end.text).toContain(`Done ${number}.`)
            }),
          )
          const records = [...first.log.records, ...second.log.records]
          for (const [number, { tool }] of conversations.entries()) {
            const own = (kindOf: string, id: string) =>
              records.find((record) => record.type === 'decision' && record.kind === kindOf && record.toolCallId === id)
            const proposed = own('tool_proposal', `call_${number}`)
            const made = own('tool_call', `call_${number}`)
            // The call joined the conversation that proposed it, and no other.
            expect([made?.session, made?.turn, made?.modelCall]).toEqual([proposed?.session, proposed?.turn, proposed?.modelCall])
            const found = await stored(shared.here, first, proposed?.session ?? '')
            expect(found?.label).toEqual({ trust: tool === 'office__web' ? 0 : 1, audience: [] })
            expect(found?.effects).toMatchObject({ reserved: {}, done: contracts[tool as 'office__web' | 'office__note'].effects })
            // What was dropped is back when the conversation goes on.
            const last = vendor.requests.filter(({ body }) => JSON.stringify(body.messages).includes(`result ${number}`))
            expect(last).toHaveLength(1)
            expect(JSON.stringify(last[0]?.body.messages)).toContain(`never_${number}`)
          }
          expect([...first.ran, ...second.ran]).toHaveLength(conversations.length)
        }),
        { numRuns: Math.ceil((15 * share) / 100) },
      )
    },
  )
})

function historyOf(kind: 'openai' | 'anthropic', number: number, name: string): readonly object[] {
  const content = `result ${number}`
  if (kind === 'openai') {
    const call = { id: `call_${number}`, type: 'function', function: { name, arguments: JSON.stringify({ number }) } }
    return [
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: `call_${number}`, content },
    ]
  }
  return [
    { role: 'assistant', content: [{ type: 'tool_use', id: `call_${number}`, name, input: { number } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: `call_${number}`, content }] },
  ]
}

test.each(sharingWays)('one ticket is one call, whichever gateways the same call is made at ($way)', async ({ isMissing, share, open }) => {
  if (isMissing) return
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(gateway, { minLength: 2, maxLength: 4 }), async (seed, attempts) => {
      await using shared = await open(seed)
      await using vendor = await startVendor((request) => say(request, { calls: [{ id: 'call_1', name: 'office__note', args: {} }] }))
      const config = vendorConfig('openai', vendor.url, { contracts, turns: { tickets: 'required' } })
      await using first = await openFloors({ config, tools, state: shared.here })
      await using second = await openFloors({ config, tools, state: shared.there })
      await post(`${first.url}/v1/chat/completions`, keys.alice, { model: 'm', messages: [{ role: 'user', content: 'go' }] })
      const results = await Promise.all(
        attempts.map(async (index) => {
          const floors = [first, second][index] ?? first
          return floors.call(await floors.context(keys.alice, 'x'), 'office__note')
        }),
      )
      expect(results.filter(({ isError }) => isError !== true)).toHaveLength(1)
      expect([...first.ran, ...second.ran]).toHaveLength(1)
    }),
    { numRuns: Math.ceil((30 * share) / 100) },
  )
})

describe('words that were said at one gateway', () => {
  const label = { trust: 'untrusted', audience: [] }
  const said = (number: number, count: number) => Array.from({ length: count }, (_, at) => `word${number}x${at}`).join(' ')
  const openIndex = (state: StateStore) => new WordsIndex(state, testClock(), Buffer.alloc(32, 9))

  test('carry their label at the other, however many and however long ones are said at once', async () => {
    const passage = fc.record({ at: gateway, count: fc.constantFrom(20, 1900) })
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(passage, { minLength: 8, maxLength: 16 }), async (seed, passages) => {
        const shared = delayedState(testState(testClock()), seed)
        const both = [openIndex(shared), openIndex(shared)]
        await Promise.all(
          passages.map(async ({ at, count }, number) => both[at]?.remember('alice', [said(number, count)], label, new Set(), 60_000)),
        )
        for (const index of both)
          for (const [number, { count }] of passages.entries())
            expect(await index.find('alice', () => said(number, count))).toEqual([label])
      }),
      { numRuns: 15 },
    )
  })

  test('carry it for every question that is asked while a gateway that has just started still reads', async () => {
    const shared = delayedState(testState(testClock()), 5)
    await openIndex(shared).remember('alice', [said(1, 30)], label, new Set(), 60_000)
    const started = openIndex(shared)
    const asked = await Promise.all([1, 2, 3].map(async () => started.find('alice', () => said(1, 30))))
    expect(asked).toEqual([[label], [label], [label]])
  })

  test('carry it when others have gone once round the ring since a gateway looked', async () => {
    const shared = testState(testClock())
    const [writes, sleeps] = [openIndex(shared), openIndex(shared)]
    expect(await sleeps.find('alice', () => said(0, 20))).toEqual([])
    for (let number = 0; number < 70; number += 1) {
      const texts = Array.from({ length: 64 }, (_, at) => [said(number * 64 + at, 8)])
      for (const text of texts) await writes.remember('alice', text, label, new Set(), 60_000)
    }
    expect(await sleeps.find('alice', () => said(70 * 64 - 1, 8))).toEqual([label])
  })
})
