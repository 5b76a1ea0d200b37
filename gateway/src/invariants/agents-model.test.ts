/**
 * Agents against a model of the rules: random interleavings of conversations of clients that somebody else wrote, which
 * prefix, wrap, compact, fork, abandon, reconnect, retry and start sub-agents, under three keys of one person, while
 * servers come and go. What the model of the rules says each conversation has read decides what may run.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { startVendor, type Vendor } from '../../../conformance/harness/vendor.ts'
import { clientKind } from './agents-model-clients.fixture.ts'
import type { Saying, Thread } from './agents-model-conversations.fixture.ts'
import { linkWindowMs, mcpIdleMs, Play, ticketLifeMs } from './agents-model-play.fixture.ts'
import { clean, gatewayTools, hasSentence, ruledTools, rules, sentence } from './agents-model-rules.fixture.ts'
import { openFloors, type ConfigInput, type Floors, type TestTool } from './floors.fixture.ts'
import { vendorConfig } from './vendors.fixture.ts'

const ownerKeys = ['tw_agents_model_first_application', 'tw_agents_model_other_application', 'tw_agents_model_other_agent_00000']
const servers = ['web', 'hr', 'mail', 'board', 'notes']

const contracts: ConfigInput['contracts'] = {
  web__fetch: { output: { trust: 'untrusted' } },
  hr__read: { output: { trust: 'trusted', audience: ['@staff'] } },
  mail__send: { effects: ['egress'], requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
  board__publish: { effects: ['egress'], requires: { audience: { includes: ['public'] } }, output: { trust: 'trusted' } },
  'notes__*': { output: { trust: 'trusted' } },
  browse: { output: { trust: 'untrusted' } },
  shell: { requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
  ...Object.fromEntries(['spawn_agent', 'delegate', 'agent', 'task', 'Task'].map((name) => [name, { output: { trust: 'trusted' } }])),
}

function config(url: string): ConfigInput {
  const upstream = (kind: 'openai' | 'anthropic'): object => ({ kind, base_url: url, credential: 'team' })
  return vendorConfig('openai', url, {
    contracts,
    upstreams: { chat: upstream('openai'), native: upstream('anthropic') } as ConfigInput['upstreams'],
    routes: ['chat', 'native'].map((model) => ({ model, upstreams: [model] })),
    servers: Object.fromEntries(servers.map((name) => [name, { transport: 'http', url: 'http://127.0.0.1:9/mcp' }])),
    gateways: { main: { servers }, second: { servers } },
    keys: {
      one: { principal: 'alice', consumer: 'app', actor: 'helper', secret: ownerKeys[0] ?? '' },
      two: { principal: 'alice', consumer: 'other-app', actor: 'helper', secret: ownerKeys[1] ?? '' },
      three: { principal: 'alice', consumer: 'app', actor: 'other-helper', secret: ownerKeys[2] ?? '' },
    },
    turns: {
      call_through: { run_any: { name: 'tool', arguments: 'input' } },
      link_window_ms: linkWindowMs,
      ticket_ttl_ms: ticketLifeMs,
      mcp_idle_ms: mcpIdleMs,
    },
  })
}

const acting = ruledTools.filter((tool) => 'forbids' in rules[tool])
const restricting = gatewayTools.filter((tool) => 'forbids' in rules[tool] || 'brings' in rules[tool])
const sometimes = fc.integer({ min: 0, max: 4 }).map((drawn) => drawn === 4)
const saying: fc.Arbitrary<Saying> = fc.record({
  tools: fc.array(
    fc.oneof(
      fc.constantFrom(...ruledTools),
      fc.constantFrom(...ruledTools.filter((tool) => 'brings' in rules[tool])),
      fc.constantFrom(...acting),
    ),
    { maxLength: 4 },
  ),
  spawns: sometimes,
  common: sometimes,
  errs: sometimes,
  short: sometimes,
  fails: sometimes,
})
const at = fc.nat(20)
const where = fc.record({ client: fc.constantFrom('a', 'b'), gateway: fc.constantFrom('main', 'second') })

/** What happens next. Numbers choose among what there is: conversations, calls, messages. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant('begin' as const), kind: clientKind, sameWords: fc.boolean(), saying }) },
  { weight: 6, arbitrary: fc.record({ act: fc.constant('go on' as const), thread: at, where, saying }) },
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant('run' as const),
      thread: at,
      call: at,
      how: fc.constantFrom('as proposed' as const, 'as proposed' as const, 'with other arguments' as const),
      where,
    }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('speak' as const), thread: at, drops: fc.boolean(), saying }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('paste' as const), thread: at, from: at, item: at, saying }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('compact' as const), thread: at, saying }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('fork' as const), thread: at, message: at, saying }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('unasked' as const),
      thread: at,
      tool: fc.constantFrom(...gatewayTools, ...restricting),
      where,
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('side' as const), thread: at }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('late' as const), call: at, where }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('stray' as const),
      owner: fc.nat(2),
      tool: fc.constantFrom(...gatewayTools, ...restricting, ...restricting),
      where,
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('servers' as const), down: fc.subarray(servers, { maxLength: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('nap' as const), minutes: fc.integer({ min: 1, max: 6 }) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function pick<T>(all: readonly T[], number: number): T | undefined {
  return all[number % Math.max(1, all.length)]
}

async function take(play: Play, one: Step): Promise<void> {
  switch (one.act) {
    case 'begin':
      return play.ask(
        play.talks.begin(one.kind, {
          text: one.sameWords ? 'The nightly job, please.' : sentence(play.talks.number(), 'Please do this'),
          ...clean,
        }),
        one.saying,
      )
    case 'late': {
      const call = pick(play.talks.abandoned, one.call)
      return call === undefined ? undefined : play.run(call, 'as proposed', one.where)
    }
    case 'stray':
      return play.stray(one.owner, one.tool, one.where)
    case 'servers':
      return play.servers(one.down)
    case 'nap':
      return play.nap(one.minutes)
    default: {
      const thread = pick(play.talks.threads.slice(-4), one.thread)
      return thread === undefined ? undefined : withThread(play, thread, one)
    }
  }
}

async function withThread(
  play: Play,
  thread: Thread,
  one: Exclude<Step, { readonly act: 'begin' | 'late' | 'stray' | 'servers' | 'nap' }>,
): Promise<void> {
  const isAgents = thread.parent !== undefined
  switch (one.act) {
    case 'go on':
      if (isAgents && thread.pending.length === 0) return undefined
      if (thread.pending.length === 0) play.talks.speak(thread, { text: sentence(play.talks.number(), 'Go on'), ...clean }, false)
      await play.finish(thread, one.where)
      return play.ask(thread, one.saying)
    case 'run': {
      const call = pick(thread.pending, one.call)
      return call === undefined ? undefined : play.run(call, one.how, one.where)
    }
    case 'unasked':
      return play.runUnasked(thread, one.tool, one.where)
    case 'side':
      return isAgents ? undefined : play.side(thread)
    case 'speak':
      if (isAgents) return undefined
      play.talks.speak(thread, { text: sentence(play.talks.number(), 'And now'), ...clean }, one.drops)
      return play.ask(thread, one.saying)
    case 'paste': {
      const item = pick(pick(play.talks.threads, one.from)?.items ?? [], one.item)
      const words = item?.role === 'results' ? item.results[0]?.words : item?.words
      if (isAgents || item === undefined || words === undefined || !hasSentence(words)) return undefined
      play.talks.speak(thread, { ...words, text: `Somebody wrote this:\n\n"${words.text}"` }, false)
      play.talks.tell(`into ${thread.name} the person pastes a ${item.role} text of another conversation`)
      return play.ask(thread, one.saying)
    }
    case 'compact':
      if (isAgents) return undefined
      play.talks.compact(thread)
      return play.ask(thread, one.saying)
    case 'fork': {
      if (isAgents) return undefined
      const fork = play.talks.fork(thread, one.message)
      play.talks.speak(fork, { text: sentence(play.talks.number(), 'Or rather'), ...clean }, false)
      return play.ask(fork, one.saying)
    }
  }
}

describe('whatever agents do', () => {
  let vendor: Vendor
  beforeAll(async () => void (vendor = await startVendor()))
  afterAll(() => vendor.close())

  async function floorsFor(answer: (tool: string, args: object) => string): Promise<Floors> {
    const tools = Object.fromEntries(
      gatewayTools.map((tool): [string, TestTool] => [
        tool,
        { inputSchema: schemas[tool] ?? { type: 'object' }, run: (args) => ({ content: [{ type: 'text', text: answer(tool, args) }] }) },
      ]),
    )
    return openFloors({ config: config(vendor.url), tools })
  }

  test('nothing acts after what forbids it, nothing is refused to who read nothing, and every call is in its own turn', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 30 }), async (steps) => {
        let play: Play | undefined
        await using floors = await floorsFor((tool, args) => play?.answerOfServer(tool, args as never) ?? '')
        play = new Play(floors, vendor, ownerKeys)
        for (const one of steps) await take(play, one)
      }),
      { numRuns: 1000 },
    )
  }, 600_000)
})

const schemas: Readonly<Partial<Record<string, TestTool['inputSchema']>>> = {
  ...Object.fromEntries(
    ['web__fetch', 'hr__read', 'notes__look'].map((tool) => [
      tool,
      { type: 'object', properties: { page: { type: 'integer', default: 1 } } },
    ]),
  ),
  mail__send: { type: 'object', properties: { priority: { type: 'string', default: 'normal' } } },
}
