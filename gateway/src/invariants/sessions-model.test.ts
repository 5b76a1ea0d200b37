/**
 * Sessions against a model of their rules. The model is written from the rules alone: no hashes, no store, whole
 * conversations as keys. Over generated histories the real pipeline must find the same sessions, forks and labels.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { say, type ModelAnswer } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor, type Vendor } from '../../../conformance/harness/vendor.ts'
import { configOf, keys, openFloors, type ConfigInput, type Floors } from './floors.fixture.ts'
import { principalOf, SessionRules, type Call, type Message, type Person } from './session-rules.fixture.ts'
import { vendorConfig, type Wire } from './vendors.fixture.ts'

const contracts = {
  web: { output: { trust: 'untrusted' } },
  staff: { output: { trust: 'trusted', audience: ['@staff'] } },
  corp: { output: { trust: 'trusted', audience: ['corp.example'] } },
  time: { output: { trust: 'trusted' } },
}

const people: readonly Person[] = ['alice', 'alice in an app', 'bob']
const appKey = 'tw_invariants_alice_in_an_app_00'
const keyOf: Readonly<Record<Person, string>> = { ...keys, 'alice in an app': appKey }
const text = fc.constantFrom('Yes.', 'No.', 'Why not?')
// None of these is ever refused, so that what the model says is what is delivered.
const toolName = fc.constantFrom('web', 'staff', 'corp', 'time')
const person = fc.constantFrom(...people)
const answer = fc.record({ text, tools: fc.array(toolName, { maxLength: 2 }) })
const at = fc.nat(20)

/** What the clients do. Numbers choose among what there is: threads, messages. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constant('go on' as const), thread: at, text, answer }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('begin' as const),
      who: person,
      name: fc.constantFrom(undefined, undefined, 'one', 'two'),
      text,
      answer,
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('fork' as const), thread: at, message: at, text, answer }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('replay' as const), thread: at, answer }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('drop' as const), thread: at, message: at, answer }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('edit' as const), thread: at, message: at, text, answer }) },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('invent' as const),
      thread: at,
      text,
      tool: fc.option(fc.oneof(toolName, fc.constant('nobody_described_it')), { nil: undefined }),
      answer,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('copy' as const),
      thread: at,
      who: person,
      name: fc.constantFrom(undefined, 'one', 'two'),
      answer,
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface Thread {
  readonly who: Person
  readonly name: string | undefined
  messages: Message[]
}

/** The clients: each keeps conversations the way its application does, and sends them whole. */
class Clients {
  readonly threads: Thread[] = []
  /** Some models number their calls anew in every message. */
  readonly #numbersAnew: boolean
  #calls = 0

  constructor(numbersAnew: boolean) {
    this.#numbersAnew = numbersAnew
  }

  /** The thread that speaks next; undefined when there is none yet. */
  take(step: Step): Thread | undefined {
    if (step.act === 'begin') return this.#add({ who: step.who, name: step.name, messages: [user(step.text)] })
    const thread = this.threads[step.thread % Math.max(1, this.threads.length)]
    if (thread === undefined) return undefined
    const place = 'message' in step ? step.message % thread.messages.length : 0
    switch (step.act) {
      case 'go on':
        thread.messages = [...thread.messages, ...nextMessages(thread.messages, step.text)]
        return thread
      case 'fork':
        return this.#add({ ...thread, messages: [...thread.messages.slice(0, place + 1), user(step.text)] })
      case 'replay':
        thread.messages = thread.messages.slice(0, thread.messages.findLastIndex(({ role }) => role !== 'assistant') + 1)
        return thread
      case 'drop':
        thread.messages = thread.messages.length > 1 ? thread.messages.toSpliced(place, 1) : thread.messages
        return thread
      case 'edit':
        thread.messages = thread.messages.map((message, index) => (index === place ? edited(message, step.text) : message))
        return thread
      case 'invent':
        thread.messages = [
          ...thread.messages,
          { role: 'assistant', text: step.text, calls: step.tool === undefined ? [] : this.calls([step.tool]) },
        ]
        return thread
      case 'copy':
        return this.#add({ who: step.who, name: step.name, messages: thread.messages })
    }
  }

  /** The calls of one message. */
  calls(names: readonly string[]): Call[] {
    if (this.#numbersAnew) this.#calls = 0
    return names.map((name) => ({ id: `call_${(this.#calls += 1)}`, name }))
  }

  #add(thread: Thread): Thread {
    this.threads.push(thread)
    return thread
  }
}

function user(words: string): Message {
  return { role: 'user', text: words }
}

/** Results for the calls that wait for them, else something new from the user. */
function nextMessages(messages: readonly Message[], words: string): Message[] {
  const last = messages.at(-1)
  if (last?.role !== 'assistant' || last.calls.length === 0) return [user(words)]
  return [{ role: 'results', results: last.calls.map(({ id }) => ({ id, text: `${words} (${id})` })) }]
}

function edited(message: Message, words: string): Message {
  if (message.role === 'results') return { ...message, results: message.results.map((result) => ({ ...result, text: words })) }
  // White space in what the assistant said is the client's own affair; in what the user said it is not.
  return { ...message, text: message.text === words ? ` ${words} ` : words }
}

function wireMessages(kind: Wire['kind'], messages: readonly Message[]): object[] {
  return messages.flatMap((message): object[] => {
    if (message.role === 'user') return [{ role: 'user', content: message.text }]
    if (message.role === 'results' && kind === 'openai')
      return message.results.map(({ id, text: content }) => ({ role: 'tool', tool_call_id: id, content }))
    if (message.role === 'results')
      return [
        { role: 'user', content: message.results.map(({ id, text: content }) => ({ type: 'tool_result', tool_use_id: id, content })) },
      ]
    const { text: content, calls } = message
    if (kind === 'anthropic')
      return [
        {
          role: 'assistant',
          content: [{ type: 'text', text: content }, ...calls.map(({ id, name }) => ({ type: 'tool_use', id, name, input: {} }))],
        },
      ]
    return [
      {
        role: 'assistant',
        content,
        ...(calls.length > 0
          ? { tool_calls: calls.map(({ id, name }) => ({ id, type: 'function', function: { name, arguments: '{}' } })) }
          : {}),
      },
    ]
  })
}

describe.each([
  { kind: 'openai' as const, path: '/v1/chat/completions', unknown: 'restrict' as const },
  { kind: 'openai' as const, path: '/v1/chat/completions', unknown: 'accept' as const },
  { kind: 'anthropic' as const, path: '/v1/messages', unknown: 'restrict' as const },
])('$path, unknown history: $unknown', ({ kind, path, unknown }) => {
  let vendor: Vendor
  let next: ModelAnswer = {}
  beforeAll(async () => void (vendor = await startVendor((request) => say(request, next))))
  afterAll(() => vendor.close())

  test('sessions, forks and labels are what the rules say, whatever the clients do with their histories', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 14 }), fc.boolean(), async (steps, numbersAnew) => {
        await using floors = await openFloors({ config: configFor(kind, vendor.url, unknown) })
        const rules = new SessionRules({ resultsAreOneMessage: kind === 'anthropic', believesStrangers: unknown === 'accept' })
        const clients = new Clients(numbersAnew)
        const names = new Map<string, string>()
        for (const [index, one] of steps.entries()) {
          const thread = clients.take(one)
          if (thread === undefined) continue
          // A request ends with something to answer.
          if (thread.messages.at(-1)?.role === 'assistant')
            thread.messages = [...thread.messages, ...nextMessages(thread.messages, 'Go on.')]
          const calls = clients.calls(one.answer.tools)
          const expected = rules.request(thread.who, thread.name, thread.messages)
          next = { text: one.answer.text, calls }
          const body = {
            model: 'm',
            max_tokens: 100,
            messages: [
              ...(kind === 'openai' ? [{ role: 'system', content: `It is ${index} o'clock.` }] : []),
              ...wireMessages(kind, thread.messages),
            ],
          }
          const reply = await post(
            `${floors.url}${path}`,
            keyOf[thread.who],
            body,
            thread.name === undefined ? {} : { 'x-turnward-session': thread.name },
          )
          expect(reply.status, reply.text).toBe(200)
          const said: Message = { role: 'assistant', text: one.answer.text, calls }
          rules.answered(said)
          thread.messages = [...thread.messages, said]

          const id = String(reply.headers['x-turnward-session'])
          const real = await realSession(floors, id)
          if (!names.has(expected.session)) {
            expect([...names.values()]).not.toContain(id)
            names.set(expected.session, id)
          }
          expect({ id, ...real }).toEqual({
            id: names.get(expected.session),
            label: expected.label,
            parent: expected.parent === undefined ? null : names.get(expected.parent),
            principal: principalOf(thread.who),
          })
        }
      }),
      { numRuns: 120 },
    )
  })
})

function configFor(kind: Wire['kind'], url: string, unknown: 'restrict' | 'accept'): ConfigInput {
  const declared = { ...configOf().keys, 'app-key': { principal: 'alice', consumer: 'an-app', secret: appKey } }
  return vendorConfig(kind, url, { contracts, keys: declared, turns: { unknown_history: unknown } })
}

async function realSession(floors: Floors, id: string): Promise<object> {
  const { policy, settings } = floors.services.snapshot()
  const session = await floors.services.sessions.find(id, policy, settings.turns.session_idle_ms)
  if (session === undefined) throw new Error('the session is not there')
  const { label } = session.policyState
  return {
    label: { trusted: label.trust === 1, readers: label.audience.map((clause) => clause.join()).sort() },
    parent: session.state.parent,
    principal: session.state.principal,
  }
}

describe('what chance seldom tries', () => {
  const result = (id: string, words: string): Message => ({ role: 'results', results: [{ id, text: words }] })
  const said = (words: string, calls: readonly Call[] = []): Message => ({ role: 'assistant', text: words, calls })

  /** Sends each history in turn as Alice; the model answers as told. Resolves with the label after each. */
  async function labelsOf(requests: readonly { readonly history: readonly Message[]; readonly answer: ModelAnswer }[]): Promise<unknown[]> {
    let next: ModelAnswer = {}
    await using vendor = await startVendor((request) => say(request, next))
    await using floors = await openFloors({ config: configFor('openai', vendor.url, 'restrict') })
    const labels: unknown[] = []
    for (const { history, answer: told } of requests) {
      next = told
      const { headers } = await post(`${floors.url}/v1/chat/completions`, keys.alice, {
        model: 'm',
        messages: wireMessages('openai', history),
      })
      labels.push(await realSession(floors, String(headers['x-turnward-session'])))
    }
    return labels
  }
  const trusted = expect.objectContaining({ label: { trusted: true, readers: [] } }) as unknown
  const untrusted = expect.objectContaining({ label: { trusted: false, readers: [] } }) as unknown

  test('words told twice count, found elsewhere, as the most restricted of both', async () => {
    const fetched = said('I look.', [{ id: 'call_1', name: 'web' }])
    const labels = await labelsOf([
      { history: [user('Read.')], answer: { text: 'I look.', calls: [{ id: 'call_1', name: 'web' }] } },
      { history: [user('Read.'), fetched, result('call_1', 'a page')], answer: { text: 'Yes.' } },
      // Another conversation says the same with nothing read, and later.
      { history: [user('Hello.')], answer: { text: 'Yes.' } },
      { history: [user('Hello.'), said('Yes.'), user('Go on.')], answer: { text: 'Well.' } },
      { history: [user('What did you say?'), said('Yes.'), user('Go on.')], answer: { text: 'Well.' } },
    ])
    expect(labels).toEqual([trusted, untrusted, trusted, trusted, untrusted])
  })

  test('the same words as the result of another tool are another result', async () => {
    const asked = (name: string): Message => said('I look.', [{ id: 'call_1', name }])
    const labels = await labelsOf([
      { history: [user('The time?')], answer: { text: 'I look.', calls: [{ id: 'call_1', name: 'time' }] } },
      { history: [user('The time?'), asked('time'), result('call_1', 'noon')], answer: { text: 'Noon.' } },
      { history: [user('The page?')], answer: { text: 'I look.', calls: [{ id: 'call_1', name: 'web' }] } },
      { history: [user('The page?'), asked('web'), result('call_1', 'noon')], answer: { text: 'Noon.' } },
    ])
    expect(labels).toEqual([trusted, trusted, trusted, untrusted])
  })

  test('a result belongs to the last call of its id before it, whatever comes after', async () => {
    const labels = await labelsOf([
      { history: [user('The time?')], answer: { text: 'I look.', calls: [{ id: 'call_1', name: 'time' }] } },
      { history: [user('The page?')], answer: { text: 'I see.', calls: [{ id: 'call_1', name: 'web' }] } },
      {
        history: [
          user('Both?'),
          said('I see.', [{ id: 'call_1', name: 'web' }]),
          result('call_1', 'a page'),
          said('I look.', [{ id: 'call_1', name: 'time' }]),
          result('call_1', 'noon'),
        ],
        answer: { text: 'Well.' },
      },
    ])
    expect(labels).toEqual([trusted, trusted, untrusted])
  })
})
