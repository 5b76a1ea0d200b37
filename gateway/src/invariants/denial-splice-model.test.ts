/**
 * Denial splicing against a model of what the vendor must see: every message as the model made it, every call
 * answered once and in order, whatever was refused, dropped and put back. Real clients of every dialect, on a fake vendor of each.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { say, type ModelAnswer, type ProposedCall } from '../../../conformance/harness/model-answer.ts'
import { historyOf, type HistoryMessage } from '../../../conformance/harness/model-history.ts'
import { createAgent } from '../../../conformance/harness/sdk-agents.ts'
import { startVendor, type Vendor, type VendorRequest } from '../../../conformance/harness/vendor.ts'
import { configOf, keys, openFloors } from './floors.fixture.ts'

const maxSplices = 2
const contracts = {
  run_it: { output: { trust: 'trusted' } },
  refuse_it: { output: { trust: 'trusted' }, requires: { done: ['never'] } },
}

/** What the model says once: text, and calls of which some are refused. No calls: the end of a turn. */
const answer = fc.record({
  text: fc.option(fc.constantFrom('I look.', 'I try.', 'Once more.'), { nil: undefined }),
  refused: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
})
/** Turns of a conversation: messages with calls, then a closing text. */
const conversation = fc.record({
  turns: fc.array(fc.array(answer, { maxLength: 5 }), { minLength: 1, maxLength: 3 }),
  /** Some models number their calls anew in every message, so that two messages may read the same. */
  numbersAnew: fc.boolean(),
})
type Conversation = typeof conversation extends fc.Arbitrary<infer T> ? T : never

const all = (count: number) => Array.from({ length: count }, () => true)
/** What chance would try too seldom: as many refused rounds as are allowed, one more, and words that were said before. */
const examples: [Conversation][] = [
  [
    {
      turns: [
        [
          { text: 'I try.', refused: all(2) },
          { text: undefined, refused: all(1) },
          { text: 'I try.', refused: [true, false, true] },
        ],
      ],
      numbersAnew: true,
    },
  ],
  [
    {
      turns: [Array.from({ length: maxSplices + 2 }, () => ({ text: 'I try.', refused: all(1) })), [{ text: 'I try.', refused: [false] }]],
      numbersAnew: false,
    },
  ],
  [{ turns: [[{ text: 'I look.', refused: [false] }], [{ text: 'I look.', refused: [false, true] }], []], numbersAnew: true }],
]

/** A vendor of each dialect, by what it is called here. */
const upstreams = {
  openai: (base_url: string) => ({ kind: 'openai' as const, base_url }),
  anthropic: (base_url: string) => ({ kind: 'anthropic' as const, base_url }),
  responses: (base_url: string) => ({ kind: 'openai' as const, base_url, speaks: 'responses' as const }),
  bedrock: (url: string) => ({ kind: 'bedrock' as const, region: 'us-east-1', base_url: url.replace(/\/v1$/, '') }),
  gemini: (url: string) => ({ kind: 'gemini' as const, base_url: url.replace(/\/v1$/, '') }),
}
type UpstreamName = keyof typeof upstreams
/** Where every result of a tool is a message of its own. */
const apart: ReadonlySet<UpstreamName> = new Set(['openai', 'responses'])

interface Scripted {
  readonly answer: ModelAnswer
  readonly refused: ReadonlySet<string>
}

/** The model's messages in the order it makes them, until the turn ends. */
function script({ turns, numbersAnew }: Conversation): Scripted[][] {
  let calls = 0
  return turns.map((turn, number) => [
    ...turn.map(({ text, refused }): Scripted => {
      if (numbersAnew) calls = 0
      const made = refused.map((isRefused): ProposedCall => ({
        id: `call_${(calls += 1)}`,
        name: isRefused ? 'refuse_it' : 'run_it',
        args: { n: calls },
      }))
      return {
        answer: { ...(text === undefined ? {} : { text }), calls: made, usage: { input: 100, output: calls + 1 } },
        refused: new Set(made.filter((_, index) => refused[index] === true).map(({ id }) => id)),
      }
    }),
    { answer: { text: `That was turn ${number}.`, usage: { input: 100, output: 1 } }, refused: new Set() },
  ])
}

interface Said {
  readonly role: string
  readonly text: string
  readonly calls: readonly { readonly id: string; readonly name: string; readonly args: unknown }[]
  readonly results: readonly { readonly id: string; readonly refused: boolean }[]
}

/** What the vendor must have been told before each of its answers, and what each client request came to. */
interface Expected {
  readonly requests: readonly (readonly Said[])[]
  readonly usages: readonly number[]
}

function expectedOf(turns: readonly (readonly Scripted[])[]): Expected {
  const told: Said[] = []
  const requests: Said[][] = []
  const usages: number[] = []
  for (const [number, turn] of turns.entries()) {
    told.push({ role: 'user', text: `task ${number}`, calls: [], results: [] })
    let rounds = 0
    let output = 0
    for (const {
      answer: { text = '', calls = [], usage },
      refused,
    } of turn) {
      requests.push([...told])
      output += usage?.output ?? 0
      told.push({ role: 'assistant', text, calls: calls.map(({ id, name, args }) => ({ id, name, args: args ?? {} })), results: [] })
      if (calls.length > 0)
        told.push({ role: 'results', text: '', calls: [], results: calls.map(({ id }) => ({ id, refused: refused.has(id) })) })
      if (refused.size > 0 && refused.size === calls.length) {
        rounds += 1
        if (rounds <= maxSplices) continue
        // Refused once too often: the client is told, and the model later sees what the client was told.
        told.push({ role: 'assistant', text: 'EXPLANATION', calls: [], results: [] })
        usages.push(output)
        break
      }
      usages.push(output)
      rounds = 0
      output = 0
    }
  }
  return { requests, usages }
}

/** A history as the model of it has it; results of one message together, in every dialect. */
function seen(request: VendorRequest, upstream: UpstreamName): Said[] {
  const all: Said[] = []
  for (const { role, text, calls, results } of historyOf(request)) {
    const last = all.at(-1)
    const answers = results.map(({ id, text: words }) => ({ id, refused: words.startsWith('not run: ') }))
    if (answers.length > 0 && last?.role === 'results' && apart.has(upstream))
      all[all.length - 1] = { ...last, results: [...last.results, ...answers] }
    else if (answers.length > 0) all.push({ role: 'results', text: '', calls: [], results: answers })
    else all.push({ role, text: text.startsWith('The tool calls I proposed') ? 'EXPLANATION' : text, calls, results: [] })
  }
  return all
}

/** What each vendor refuses with a 400 of its own. */
function requireAcceptable(request: VendorRequest, upstream: UpstreamName): void {
  const messages = historyOf(request)
  for (const [index, message] of messages.entries()) {
    const next = messages[index + 1]
    if (message.calls.length > 0) {
      if (next === undefined) throw new Error('calls without answers end the history')
      const ids = message.calls.map(({ id }) => id)
      const answers = answersAfter(upstream, messages, index)
      if (answers.join() !== ids.join()) throw new Error(`calls ${ids.join()} are answered by ${answers.join()}`)
    }
    if (message.role === 'assistant' && message.text === '' && message.calls.length === 0)
      throw new Error('an assistant message says nothing')
    if (!apart.has(upstream) && next !== undefined && next.role === message.role) throw new Error(`two ${message.role} messages in a row`)
    if (message.results.length > 0 && index === 0) throw new Error('results answer nothing')
  }
  if (messages[0]?.role !== 'user') throw new Error('the history does not begin with the user')
  if (messages.at(-1)?.role === 'assistant') throw new Error('the history ends with the assistant')
}

function answersAfter(upstream: UpstreamName, messages: readonly HistoryMessage[], index: number): string[] {
  const after = messages.slice(index + 1)
  const end = !apart.has(upstream) ? 1 : after.findIndex(({ results }) => results.length === 0)
  return (end === -1 ? after : after.slice(0, end)).flatMap(({ results }) => results.map(({ id }) => id))
}

const clients = ['openai', 'anthropic', 'responses', 'converse', 'gemini'] as const
const combinations = clients.flatMap((client) =>
  (Object.keys(upstreams) as UpstreamName[]).flatMap((upstream) => [false, true].map((stream) => ({ client, upstream, stream }))),
)
/** Chance looks longest where most is different: at the oldest two, whose words the others are converted from and to. */
const longest: ReadonlySet<string> = new Set(['openai', 'anthropic'])

describe.each(combinations)('a $client client on an $upstream vendor, stream: $stream', ({ client, upstream, stream }) => {
  let vendor: Vendor
  beforeAll(async () => void (vendor = await startVendor()))
  afterAll(() => vendor.close())

  test('whatever is refused, the vendor sees a whole conversation, and the client none of the refused', async () => {
    await fc.assert(
      fc.asyncProperty(conversation, async (chosen) => {
        // Calls of Gemini's are told apart by what they say: on their way to another dialect each gets an id of its own.
        const isRenamed = client === 'gemini' && upstream !== 'gemini'
        const turns = script({ ...chosen, numbersAnew: chosen.numbersAnew && !isRenamed })
        const expected = expectedOf(turns)
        const config = configOf({
          contracts,
          policy: { tools: { hide: 'never' } },
          turns: { max_splices: maxSplices, tell_user: 'never' },
          credentials: { team: { secret: 'sk-team' } },
          upstreams: { vendor: { ...upstreams[upstream](vendor.url), credential: 'team' } },
          routes: [{ model: '*', upstreams: ['vendor'] }],
        })
        await using floors = await openFloors({ config })
        const before = vendor.requests.length
        let turn: Scripted[] = []
        vendor.respond((request) => {
          requireAcceptable(request, upstream)
          return say(request, turn.shift()?.answer ?? { text: 'nothing was scripted' })
        })
        const agent = createAgent(client, {
          url: floors.url,
          key: keys.alice,
          model: 'm',
          stream,
          tools: ['run_it', 'refuse_it'],
          execute: (name, args) => `${name} ${JSON.stringify(args)}`,
        })
        for (const [number, messages] of turns.entries()) {
          turn = [...messages]
          await agent.ask(`task ${number}`)
        }
        expect(agent.calls.map(({ name }) => name).filter((name) => name !== 'run_it')).toEqual([])
        for (const received of agent.received) expect(received).not.toContain('"refuse_it"')

        expect(vendor.requests.slice(before).map((request) => seen(request, upstream))).toEqual(expected.requests)
        // One client request, one account: what every round of it used, for the client and on record.
        expect(agent.usages.map(({ output }) => output)).toEqual(expected.usages)
        const outcomes = floors.log.records.filter(({ type, kind }) => type === 'outcome' && kind === 'model_call')
        expect(outcomes.map(({ usage }) => usage?.outputTokens)).toEqual(expected.usages)
      }),
      { numRuns: longest.has(client) && longest.has(upstream) ? 40 : 6, examples },
    )
  })
})
