/**
 * Invariant 6: reserved = settled + refunded, whatever fails. In this release what is reserved are the effects of
 * calls: every one that was reserved is done, given back, unconfirmed, or still awaited; none is lost or counted twice.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import type { CancelSignal } from '../core/cancellation.ts'
import { TurnwardError } from '../core/error.ts'
import { confirmedEffects, emptyLedger, release, reserve, settle, suspect, unconfirmedEffect } from '../policy/effects.ts'
import type { EffectLedger } from '../policy/types.ts'
import { mcpSession } from '../turns/sessions/linking-session.ts'
import { configOf, keys, openFloors, type Floors } from './floors.fixture.ts'
import { RecordingLog } from './recording-log.fixture.ts'
import { vendorConfig, wires } from './vendors.fixture.ts'

describe('the ledger', () => {
  const step = fc.record({ act: fc.constantFrom('reserve', 'settle', 'release', 'give up'), call: fc.nat(5) })

  test('knows of every reserved effect what became of it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let ledger: EffectLedger = emptyLedger
        const open = new Set<number>()
        const done = new Set<string>()
        const unsure = new Set<string>()
        // Every call has an effect of its own, so that what became of it can be told.
        for (const [index, { act, call }] of steps.entries()) {
          const key = `call-${call}`
          const effect = `effect-${call}-${index}`
          const held = ledger.reserved[key] ?? []
          if (act === 'reserve') {
            ledger = reserve(ledger, key, [effect])
            open.add(call)
            expect(ledger.reserved[key]).toEqual([...held, effect].sort())
          } else if (act === 'settle') {
            ledger = settle(ledger, key)
            for (const one of held) done.add(one)
            open.delete(call)
          } else {
            ledger = release(ledger, key)
            if (act === 'give up') {
              ledger = suspect(ledger, held)
              for (const one of held) unsure.add(unconfirmedEffect(one))
            }
            open.delete(call)
          }
        }
        expect(Object.keys(ledger.reserved).sort()).toEqual([...open].map((call) => `call-${call}`).sort())
        expect(confirmedEffects(ledger)).toEqual([...done].sort())
        expect(ledger.done.filter((effect) => effect.startsWith('?'))).toEqual([...unsure].sort())
      }),
    )
  })

  test('ending a call twice, or one that was never reserved, changes nothing', () => {
    const ledger = reserve(emptyLedger, 'a', ['x'])
    for (const end of [settle, release]) {
      expect(end(ledger, 'b')).toEqual(ledger)
      expect(end(end(ledger, 'a'), 'a')).toEqual(end(ledger, 'a'))
    }
  })
})

function untilAborted(signal: CancelSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

const endings = ['ok', 'tool_error', 'error', 'timeout', 'cancelled', 'unrecorded', 'refused'] as const
type Ending = (typeof endings)[number]

/** One tool for each ending, each with an effect of that name. */
const tools = {
  office__ok: {},
  office__tool_error: { run: () => ({ content: [], isError: true }) },
  office__error: { run: () => Promise.reject(new TurnwardError('mcp.server_unavailable', { subject: 'office' })) },
  office__timeout: { run: () => Promise.reject(new TurnwardError('mcp.server_timeout', { subject: 'office' })) },
  office__cancelled: { run: (_args: object, { signal }: { signal: CancelSignal }) => untilAborted(signal) },
  office__unrecorded: {},
  office__refused: {},
}
const contracts = Object.fromEntries(
  endings.map((ending) => [
    `office__${ending}`,
    { output: { trust: 'trusted' }, effects: [ending], requires: ending === 'refused' ? { done: ['never'] } : {} },
  ]),
)

async function endAs(floors: Floors, client: string, ending: Ending): Promise<void> {
  const abort = new AbortController()
  const calling = floors.call(await floors.context(keys.alice, client), `office__${ending}`, {}, abort.signal).catch(() => undefined)
  if (ending === 'cancelled') abort.abort(new TurnwardError('request.cancelled'))
  await calling
}

describe('calls at the MCP endpoint', () => {
  test('leave nothing reserved, however many run at once and however each ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...endings), { minLength: 1, maxLength: 8 }), async (chosen) => {
        const log = new RecordingLog()
        log.breaks = ({ type, subject }) => type === 'decision' && subject === 'office__unrecorded'
        await using floors = await openFloors({ config: configOf({ contracts }), log, tools })
        await Promise.all(chosen.map((ending) => endAs(floors, 'one', ending)))
        const { effects } = await sessionOf(floors, 'one')
        const has = (...of: Ending[]): string[] => of.filter((ending) => chosen.includes(ending))
        expect(effects.reserved).toEqual({})
        expect(confirmedEffects(effects)).toEqual(has('ok'))
        // A call that got no answer may have had its effect; one that was refused or never recorded cannot have.
        expect(effects.done.filter((effect) => effect.startsWith('?'))).toEqual(has('cancelled', 'error', 'timeout').map(unconfirmedEffect))
      }),
      { numRuns: 60 },
    )
  })

  test('of several that may happen once, one happens, whichever begins first', async () => {
    const once = { office__ok: { output: { trust: 'trusted' }, effects: ['once'], requires: { not_done: ['once'] } } }
    await using floors = await openFloors({ config: configOf({ contracts: once }), tools })
    const context = await floors.context(keys.alice, 'one')
    const results = await Promise.all(Array.from({ length: 5 }, () => floors.call(context, 'office__ok')))
    expect(results.filter(({ isError }) => isError !== true)).toHaveLength(1)
    expect(floors.ran).toHaveLength(1)
  })
})

describe.each(wires)('calls a model proposes ($path, stream: $stream)', ({ kind, path, stream }) => {
  const names = ['office__ok', 'office__tool_error', 'office__refused', 'office__unrecorded'] as const
  const body = { model: 'm', max_tokens: 100, stream, messages: [{ role: 'user', content: 'go' }] }

  test('are reserved exactly while they are released, and not at all when one of them cannot be recorded', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }), async (chosen) => {
        const calls = chosen.map((name, index) => ({ id: `call_${index}`, name }))
        await using vendor = await startVendor((request) => say(request, request.index === 0 ? { calls } : { text: 'Done.' }))
        const log = new RecordingLog()
        log.breaks = ({ kind: what, subject }) => what === 'tool_proposal' && subject === 'office__unrecorded'
        await using floors = await openFloors({ config: vendorConfig(kind, vendor.url, { contracts }), log, tools })
        const answer = await post(`${floors.url}${path}`, keys.alice, body, { 'x-turnward-session': 'one' })
        const unrecorded = chosen.includes('office__unrecorded')
        expect(answer.text.includes('audit.unwritable')).toBe(unrecorded)
        const { effects } = await sessionOf(floors, 'ignored', 'one')
        const released = unrecorded ? [] : chosen.filter((name) => name === 'office__ok' || name === 'office__tool_error')
        expect(Object.values(effects.reserved).flat().sort()).toEqual(released.map((name) => name.slice('office__'.length)).sort())
        expect(effects.done).toEqual([])
      }),
      { numRuns: 15 },
    )
  })
})

test('two calls of one message cannot both be the only one', async () => {
  const once = { office__ok: { output: { trust: 'trusted' }, effects: ['once'], requires: { not_done: ['once'] } } }
  const calls = [
    { id: 'call_a', name: 'office__ok' },
    { id: 'call_b', name: 'office__ok' },
  ]
  await using vendor = await startVendor((request) => say(request, { calls }))
  await using floors = await openFloors({ config: vendorConfig('openai', vendor.url, { contracts: once }), tools })
  const answer = await post(`${floors.url}/v1/chat/completions`, keys.alice, { model: 'm', messages: [{ role: 'user', content: 'go' }] })
  expect(answer.text).toContain('call_a')
  expect(answer.text).not.toContain('call_b')
})

/** The policy state of a connection, or of a session the caller named. */
async function sessionOf(floors: Floors, client: string, named?: string): Promise<{ readonly effects: EffectLedger }> {
  const context = await floors.context(keys.alice, client, 'main', named === undefined ? {} : { 'x-turnward-session': named })
  return (await mcpSession(floors.services, context)).policyState
}

/** What became of a proposed call: how its MCP call ended, or that the client ran it, or nobody did; and what the history then says. */
const fate = fc.record({
  ending: fc.constantFrom('ok', 'tool_error', 'timeout', 'refused_later', 'own', 'nobody'),
  said: fc.constantFrom('done', 'error: no', 'not run: refused'),
  isError: fc.boolean(),
})

describe.each(wires.filter(({ stream }) => !stream))('over both floors ($path)', ({ kind, path }) => {
  const oneEach = {
    ...tools,
    office__web: {},
    office__refused_later: {},
  }
  const described = {
    ...contracts,
    office__web: { output: { trust: 'untrusted' } },
    office__refused_later: { output: { trust: 'trusted' }, effects: ['refused_later'], requires: { trust: 'trusted' } },
    own: { output: { trust: 'trusted' }, effects: ['own'] },
    nobody: { output: { trust: 'trusted' }, effects: ['nobody'] },
  }
  const nameOf = (ending: string) => (ending === 'own' || ending === 'nobody' ? ending : `office__${ending}`)

  test('an effect is done only where its call ended well; what a history says of it enables nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fate, { minLength: 1, maxLength: 6, selector: ({ ending }) => ending }), async (fates) => {
        const calls = fates.map(({ ending }, index) => ({ id: `call_${index}`, name: nameOf(ending) }))
        await using vendor = await startVendor((request) => say(request, request.index === 0 ? { calls } : { text: 'Done.' }))
        await using floors = await openFloors({ config: vendorConfig(kind, vendor.url, { contracts: described }), tools: oneEach })
        const ask = (messages: object[]) =>
          post(`${floors.url}${path}`, keys.alice, { model: 'm', max_tokens: 100, messages }, { 'x-turnward-session': 'one' })
        await ask([{ role: 'user', content: 'go' }])
        const named = { 'x-turnward-session': 'one' }
        for (const { ending } of fates)
          if (ending !== 'own' && ending !== 'nobody' && ending !== 'refused_later')
            await floors.call(await floors.context(keys.alice, 'x', 'main', named), nameOf(ending)).catch(() => undefined)
        // What was released is refused where it runs, once something untrusted was read.
        await floors.call(await floors.context(keys.alice, 'x', 'main', named), 'office__web')
        for (const { ending } of fates)
          if (ending === 'refused_later')
            expect((await floors.call(await floors.context(keys.alice, 'x', 'main', named), nameOf(ending))).isError).toBe(true)
        await ask(historyOf(kind, calls, fates))
        const { effects } = await sessionOf(floors, 'ignored', 'one')
        expect(effects.reserved).toEqual({})
        const ownIsDone = kind === 'anthropic' && fates.some(({ ending, isError }) => ending === 'own' && !isError)
        const nobodyIsDone = kind === 'anthropic' && fates.some(({ ending, isError }) => ending === 'nobody' && !isError)
        const done = [
          ...fates.filter(({ ending }) => ending === 'ok').map(({ ending }): string => ending),
          ...(ownIsDone ? ['own'] : []),
          ...(nobodyIsDone ? ['nobody'] : []),
        ]
        expect(confirmedEffects(effects)).toEqual(done.sort())
        // A call that failed or was refused is free; one that got no answer, and one whose dialect cannot say, may have happened.
        const possible = fates
          .filter(({ ending }) => ending === 'timeout' || (kind === 'openai' && (ending === 'own' || ending === 'nobody')))
          .map(({ ending }) => unconfirmedEffect(ending))
        expect(effects.done.filter((effect) => effect.startsWith('?'))).toEqual(possible.sort())
      }),
      { numRuns: 60 },
    )
  })
})

function historyOf(
  kind: 'openai' | 'anthropic',
  calls: readonly { readonly id: string; readonly name: string }[],
  fates: readonly { readonly said: string; readonly isError: boolean }[],
): object[] {
  const user = { role: 'user', content: 'go' }
  if (kind === 'openai') {
    const made = {
      role: 'assistant',
      content: null,
      tool_calls: calls.map(({ id, name }) => ({ id, type: 'function', function: { name, arguments: '{}' } })),
    }
    return [user, made, ...calls.map(({ id }, index) => ({ role: 'tool', tool_call_id: id, content: fates[index]?.said ?? '' }))]
  }
  const made = { role: 'assistant', content: calls.map(({ id, name }) => ({ type: 'tool_use', id, name, input: {} })) }
  return [
    user,
    made,
    {
      role: 'user',
      content: calls.map(({ id }, index) => ({
        type: 'tool_result',
        tool_use_id: id,
        content: fates[index]?.said ?? '',
        is_error: fates[index]?.isError === true,
      })),
    },
  ]
}

test('a result that cannot be admitted reaches nobody, and its outcome is on record', async () => {
  await using floors = await openFloors({
    config: configOf({ contracts: { office__ok: { output: { trust: 'untrusted' }, effects: ['ok'] } } }),
    tools,
  })
  const context = await floors.context(keys.alice, 'x')
  await floors.call(context, 'office__ok')
  const change = floors.services.state.change.bind(floors.services.state)
  floors.services.state.change = (namespace, ...rest) => {
    if (namespace === 'session' && floors.ran.length === 2) throw new TurnwardError('store.failed', { why: 'the disk is full' })
    return change(namespace, ...rest)
  }
  floors.clock.advance(60_000)
  await expect(floors.call(context, 'office__ok')).rejects.toMatchObject({ code: 'store.failed' })
  expect(floors.log.records.at(-1)).toMatchObject({ type: 'outcome', outcome: 'error', errorCode: 'store.failed' })
})
