/** A streamed answer that a limit has no more room for ends there, as one that has become too long, in every dialect. */
import { describe, expect, test, vi } from 'vitest'
import { eventsOf, type ModelAnswer, say } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor, type VendorRequest } from '../../../../conformance/harness/vendor.ts'
import { ask, dialectsAndUpstreams, upstreams, wordsIn } from '../../invariants/five-dialects.fixture.ts'
import { TurnwardError } from '../../core/error.ts'
import { type ConfigInput, configOf, type Floors, keys, openFloors } from '../../invariants/floors.fixture.ts'
import { tokensOf } from './amounts.ts'
import { showLimits } from './showing-limits.ts'

type Rules = NonNullable<NonNullable<ConfigInput['limits']>['rules']>

const long = Array.from({ length: 400 }, (_, at) => `word-${at}`).join(' ')
const words: Rules = [{ name: 'words', per: 'principal', count: 'output_tokens', limit: 60, window: 'calendar_month' }]

function limited(kind: string, url: string, rules: Rules, more: ConfigInput = {}): ConfigInput {
  const parts = upstreams[kind]?.(url)
  return configOf({
    ...parts,
    routes: [{ model: 'm', upstreams: ['vendor'] }],
    prices: [{ models: ['m'], input: 1_000_000, output: 1_000_000 }],
    limits: { rules, assumed_output_tokens: 10 },
    ...more,
  })
}

const outcomesOf = ({ log }: Floors) =>
  log.records
    .filter(({ type, kind }) => type === 'outcome' && kind === 'model_call')
    .map(({ rules, reason, outcome, usage }) => ({ rules, reason, outcome, usage }))

const ends: Readonly<Record<string, RegExp>> = {
  'chat-completions': /"finish_reason":"length"/,
  messages: /"stop_reason":"max_tokens"/,
  responses: /event: response\.incomplete\ndata: .*"incomplete_details":\{"reason":"max_output_tokens"\}/,
  gemini: /"finishReason":"MAX_TOKENS"/,
  converse: /"stopReason":"max_tokens"/,
}

describe.each(dialectsAndUpstreams.filter(({ stream }) => stream))('in $form at $kind', ({ form, kind }) => {
  test('it ends where the limit ends, counts as much as it has said, and the next call is refused', async () => {
    await using vendor = await startVendor((request) => say(request, { text: long, usage: { input: 5, output: 900 } }))
    await using floors = await openFloors({ config: limited(kind, vendor.url, words) })
    const { text } = await ask(floors.url, form, true, [['user', 'go']])
    const { deltas } = wordsIn(text, form)
    expect(long.startsWith(deltas)).toBe(true)
    expect(tokensOf(deltas.length)).toBeGreaterThan(60 - 16)
    // Up to what is too little to be reserved by itself, and beyond it there is what came between two looks.
    expect(tokensOf(deltas.length)).toBeLessThan(60 + 64)
    expect(text).toMatch(ends[form] ?? /never/)
    expect(await vendor.last().ended).toBe('left')
    const [outcome] = outcomesOf(floors)
    expect(outcome).toMatchObject({ rules: [expect.anything(), 'limit words'], outcome: 'ok', reason: expect.stringContaining('ended') })
    expect(outcome?.usage?.outputTokens).toBe(tokensOf(deltas.length))
    const [shown] = await showLimits(floors.services, 'alice')
    expect(shown?.used).toBe(tokensOf(deltas.length))
    expect(floors.services.ledger.outstanding).toBe(0)
    expect((await ask(floors.url, form, true, [['user', 'go']])).status).toBe(429)
  })
})

const chat = (floors: Floors, more: object = {}) =>
  post(`${floors.url}/v1/chat/completions`, keys.alice, { model: 'm', stream: true, messages: [{ role: 'user', content: 'go' }], ...more })

describe('an answer that says more than was expected', () => {
  const said = { text: long, usage: { input: 5, output: 900 } }
  const cases: readonly (readonly [name: string, rules: Rules, body: object])[] = [
    ['goes on where there is room for it', [{ ...words[0], limit: 5000 }] as Rules, {}],
    ['goes on where the limit only warns', [{ ...words[0], action: 'warn' }] as Rules, {}],
    ['goes on where nothing counts what is said', [{ name: 'few', count: 'requests', limit: 10, window: '1h' }], {}],
    ['goes on to what its client lets it have, once that is reserved', [{ ...words[0], limit: 50 }] as Rules, { max_tokens: 50 }],
  ]
  test.each(cases)('%s', async (_name, rules, body) => {
    await using vendor = await startVendor((request) => say(request, said))
    await using floors = await openFloors({ config: limited('openai', vendor.url, rules) })
    const { text } = await chat(floors, body)
    expect(wordsIn(text, 'chat-completions').deltas).toBe(long)
    expect(text).toContain('"finish_reason":"stop"')
    expect(floors.services.ledger.outstanding).toBe(0)
    expect(outcomesOf(floors)[0]).toMatchObject({ reason: 'The call completed.', usage: { outputTokens: 900 } })
  })

  test('is held to a budget as well, with what it costs', async () => {
    await using vendor = await startVendor((request) => say(request, said))
    const rules: Rules = [{ name: 'budget', count: 'cost', limit: 200, window: 'calendar_month' }]
    await using floors = await openFloors({ config: limited('openai', vendor.url, rules) })
    expect((await chat(floors)).text).toMatch(/"finish_reason":"length"/)
    const [shown] = await showLimits(floors.services, 'alice')
    expect(shown?.used).toBeGreaterThan(200 - 16)
    expect(shown?.used).toBeLessThan(250)
  })

  test('leaves to others only what it has not reserved yet', async () => {
    const steps = Promise.withResolvers<void>()
    await using vendor = await startVendor((request) => {
      const events = eventsOf(request, said)
      return { headers: { 'content-type': 'text/event-stream' }, parts: [...events.slice(0, 120), steps.promise, ...events.slice(120)] }
    })
    const rules: Rules = [{ name: 'words', per: 'none', count: 'output_tokens', limit: 2000, window: 'calendar_month' }]
    await using floors = await openFloors({ config: limited('openai', vendor.url, rules) })
    const running = chat(floors)
    await expect.poll(() => floors.services.ledger.outstanding, { timeout: 5000 }).toBeGreaterThan(tokensOf(100 * 9))
    steps.resolve()
    await running
    expect((await showLimits(floors.services, 'alice'))[0]?.used).toBe(900)
    expect(floors.services.ledger.outstanding).toBe(0)
  })

  test('ends with an error where nobody can tell how much is used', async () => {
    await using vendor = await startVendor((request) => say(request, said))
    await using floors = await openFloors({ config: limited('openai', vendor.url, [{ ...words[0], limit: 5000 }] as Rules) })
    const { ledger } = floors.services
    const { reserve } = ledger
    vi.spyOn(ledger, 'reserve').mockImplementationOnce(reserve.bind(ledger)).mockRejectedValue(new TurnwardError('state.unavailable'))
    const { text } = await chat(floors)
    expect(text).toContain('state.unavailable')
    expect(text).not.toContain('finish_reason":"')
    expect(await vendor.last().ended).toBe('left')
    expect(ledger.outstanding).toBe(0)
  })

  test('counts what earlier rounds of the same request have said', async () => {
    // Each round proposes a call that is refused, and the model goes on.
    let rounds = 0
    await using vendor = await startVendor((request) => {
      rounds += 1
      const text = long.slice(0, 105)
      return say(request, { text, calls: [{ id: `call_${rounds}`, name: 'note', args: {} }], usage: { input: 5, output: 30 } })
    })
    const config = limited('openai', vendor.url, words, { rules: [{ name: 'no', when: 'true', verdict: 'deny', reason: 'Not now.' }] })
    await using floors = await openFloors({ config })
    const { text } = await chat(floors, { tools: [{ type: 'function', function: { name: 'note' } }] })
    expect(text).toContain('"finish_reason":"length"')
    expect(rounds).toBe(2)
    expect(floors.services.ledger.outstanding).toBe(0)
  })

  test('gives back what it had reserved when its client leaves', async () => {
    await using vendor = await startVendor((request) => ({
      ...say(request, said),
      parts: eventsOf(request, said).slice(0, 200),
      ends: 'never',
    }))
    await using floors = await openFloors({ config: limited('openai', vendor.url, [{ ...words[0], limit: 5000 }] as Rules) })
    const client = new AbortController()
    const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'go' }] })
    const headers = { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' }
    const answer = await fetch(`${floors.url}/v1/chat/completions`, { method: 'POST', headers, body, signal: client.signal })
    await expect.poll(() => floors.services.ledger.outstanding, { timeout: 5000 }).toBeGreaterThan(64)
    client.abort()
    await answer.text().catch(() => {})
    await expect.poll(() => floors.services.ledger.outstanding, { timeout: 5000 }).toBe(0)
  })
})

describe('calls of an answer that is ended', () => {
  const args = { text: long }
  const calling: ModelAnswer = {
    text: 'I write.',
    calls: [
      { id: 'whole_1', name: 'note', args: { a: 1 } },
      { id: 'cut_1', name: 'write', args },
    ],
  }
  const bodies = {
    openai: ['/v1/chat/completions', { tools: ['note', 'write'].map((name) => ({ type: 'function', function: { name } })) }],
    anthropic: ['/v1/messages', { max_tokens: 9999, tools: ['note', 'write'].map((name) => ({ name, input_schema: { type: 'object' } })) }],
  } as const
  const guards = { none: {}, 'a guard': { guards: { code: { kind: 'patterns', on: 'output', deny: ['bluebird'] } } } } as const
  const cases = (['openai', 'anthropic'] as const).flatMap((kind) => (['none', 'a guard'] as const).map((guard) => ({ kind, guard })))

  test.each(cases)('go nowhere, and are nobody’s to decide ($kind, $guard)', async ({ kind, guard }) => {
    await using vendor = await startVendor((request: VendorRequest) => say(request, calling))
    const config = limited(kind, vendor.url, words, guards[guard] as ConfigInput)
    const route = { model: 'm', upstreams: ['vendor'], ...(guard === 'none' ? {} : { guards: ['code'] }) }
    await using floors = await openFloors({ config: { ...config, routes: [route] } })
    const [path, more] = bodies[kind]
    const { text } = await post(`${floors.url}${path}`, keys.alice, {
      model: 'm',
      stream: true,
      messages: [{ role: 'user', content: 'go' }],
      ...more,
    })
    expect(text).toMatch(kind === 'openai' ? /"finish_reason":"length"/ : /"stop_reason":"max_tokens"/)
    expect(text).not.toMatch(/whole_1|cut_1|word-/)
    expect(await vendor.last().ended).toBe('left')
    expect(vendor.requests).toHaveLength(1)
    expect(floors.log.records.filter(({ kind: what }) => what === 'tool_proposal')).toEqual([])
    expect(floors.services.ledger.outstanding).toBe(0)
  })
})
