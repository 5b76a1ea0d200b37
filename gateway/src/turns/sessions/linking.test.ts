/** Which conversation a tool call belongs to, over real floors: tickets, calls without one, several applications and gateways. */
import { describe, expect, test } from 'vitest'
import { say, type ModelAnswer } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../../conformance/harness/vendor.ts'
import { TurnwardError } from '../../core/error.ts'
import { configOf, keys, openFloors, type ConfigInput, type Floors, type TestTool } from '../../invariants/floors.fixture.ts'
import { vendorConfig } from '../../invariants/vendors.fixture.ts'

const contracts = {
  office__web: { output: { trust: 'untrusted' } },
  office__look: { output: { trust: 'trusted' } },
  office__send: { effects: ['egress'], requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
}
const tools: Record<string, TestTool> = { office__web: {}, office__look: {}, office__send: {} }
const other = 'tw_other_application_of_alice_000'
const agent = 'tw_other_agent_of_alice_000000000'
const severalKeys = {
  one: { principal: 'alice', consumer: 'app', actor: 'helper', secret: keys.alice },
  two: { principal: 'alice', consumer: 'other-app', actor: 'helper', secret: other },
  three: { principal: 'alice', consumer: 'app', actor: 'other', secret: agent },
}
const offer = Object.keys(tools).map((name) => ({ type: 'function', function: { name, parameters: { type: 'object' } } }))

interface Talk {
  readonly floors: Floors
  /** One model call; resolves with its headers. `answer` is what the model says. */
  ask(
    words: string,
    answer: ModelAnswer,
    more?: { readonly messages?: object[]; readonly key?: string; readonly tools?: object[] },
  ): Promise<Readonly<Record<string, string>>>
  /** The decision on the tool call made last. */
  decided(): {
    readonly ticket?: string | undefined
    readonly session: string | null
    readonly turn: string | null
    readonly action: string
    readonly toolCallId?: string | null | undefined
  }
}

async function talking(
  run: (talk: Talk) => Promise<void>,
  parts: ConfigInput = {},
  with_: Record<string, TestTool> = tools,
): Promise<void> {
  let next: ModelAnswer = {}
  await using vendor = await startVendor((request) => say(request, next))
  await using floors = await openFloors({
    config: vendorConfig('openai', vendor.url, { contracts, keys: severalKeys, ...parts }),
    tools: with_,
  })
  await run({
    floors,
    async ask(words, answer, { messages = [], key = keys.alice, tools: offered = offer } = {}) {
      next = answer
      const reply = await post(`${floors.url}/v1/chat/completions`, key, {
        model: 'm',
        tools: offered,
        messages: [{ role: 'user', content: words }, ...messages],
      })
      expect(reply.status, reply.text).toBe(200)
      return reply.headers as Record<string, string>
    },
    decided: () => floors.log.records.findLast((one) => one.kind === 'tool_call' && one.type === 'decision') as never,
  })
}

const proposes = (...calls: readonly (readonly [string, string, object?])[]): ModelAnswer => ({
  calls: calls.map(([id, name, args = {}]) => ({ id, name, args: args as never })),
})
const made = (...calls: readonly (readonly [string, string])[]) => ({
  role: 'assistant',
  content: null,
  tool_calls: calls.map(([id, name]) => ({ id, type: 'function', function: { name, arguments: '{}' } })),
})
const result = (id: string, content: string) => ({ role: 'tool', tool_call_id: id, content })

describe('a call with a ticket', () => {
  test('is not taken by another application of the same person, nor by another of its agents', () =>
    talking(async ({ floors, ask, decided }) => {
      const headers = await ask('go', proposes(['c1', 'office__look']))
      for (const key of [other, agent]) {
        await floors.call(await floors.context(key, 'x'), 'office__look')
        expect(decided()).toMatchObject({ ticket: 'none' })
      }
      await floors.call(await floors.context(keys.alice, 'x'), 'office__look')
      expect(decided()).toMatchObject({ ticket: 'matched', session: headers['x-turnward-session'], turn: headers['x-turnward-turn'] })
    }))

  test('belongs to the newest proposal: an abandoned one does not catch it', () =>
    talking(async ({ floors, ask, decided }) => {
      await ask('abandoned', proposes(['c1', 'office__look']))
      const headers = await ask('made', proposes(['c2', 'office__look']))
      await floors.call(await floors.context(keys.alice, 'x'), 'office__look')
      expect(decided()).toMatchObject({ session: headers['x-turnward-session'], toolCallId: 'c2' })
    }))

  test('belongs to the proposal whose id the client sends', () =>
    talking(async ({ floors, ask, decided }) => {
      const headers = await ask('first', proposes(['toolu_1', 'office__look']))
      await ask('second', proposes(['toolu_2', 'office__look']))
      const context = await floors.context(keys.alice, 'x')
      const signal = new AbortController().signal
      await floors.operations.callTool(context, {
        kind: 'tool_call',
        name: 'office__look',
        args: {},
        unfit: undefined,
        meta: { 'claudecode/toolUseId': 'toolu_1' },
        signal,
        onProgress: undefined,
      })
      expect(decided()).toMatchObject({ session: headers['x-turnward-session'], toolCallId: 'toolu_1' })
    }))

  test('is the same call with its defaults filled in, and with a number written as text', () =>
    talking(
      async ({ floors, ask, decided }) => {
        await ask('go', proposes(['c1', 'office__look', { page: '1' }]))
        await floors.call(await floors.context(keys.alice, 'x'), 'office__look', { page: 1, order: 'newest' })
        expect(decided()).toMatchObject({ ticket: 'matched' })
        await ask('go on', proposes(['c2', 'office__look', { page: 1 }]))
        await floors.call(await floors.context(keys.alice, 'x'), 'office__look', { page: 2 })
        expect(decided()).toMatchObject({ ticket: 'none' })
      },
      {},
      {
        ...tools,
        office__look: {
          inputSchema: { type: 'object', properties: { page: { type: 'integer' }, order: { type: 'string', default: 'newest' } } },
        },
      },
    ))

  test('that the log refused can be tried again under its ticket', () =>
    talking(
      async ({ floors, ask, decided }) => {
        await ask('go', proposes(['c1', 'office__look']))
        floors.log.breaks = ({ kind, type }) => kind === 'tool_call' && type === 'decision'
        const context = await floors.context(keys.alice, 'x')
        await expect(floors.call(context, 'office__look')).rejects.toMatchObject({ code: 'audit.unwritable' })
        floors.log.breaks = () => false
        expect((await floors.call(context, 'office__look')).isError).toBeUndefined()
        expect(decided()).toMatchObject({ ticket: 'matched' })
        expect((await floors.call(context, 'office__look')).isError).toBe(true)
      },
      { turns: { tickets: 'required' } },
    ))

  test.each(['get', 'change'] as const)(
    'that fails at the shared state (%s) before it is decided can be tried again at once',
    (operation) =>
      talking(
        async ({ floors, ask, decided }) => {
          await ask('go', proposes(['c1', 'office__look']))
          const context = await floors.context(keys.alice, 'x')
          const { state } = floors.services
          const { get, change } = state
          let isHeld = false
          const fails = (at: 'get' | 'change', namespace: string): void => {
            if (isHeld && at === operation && namespace === 'session') throw new TurnwardError('store.failed', { why: 'it is elsewhere' })
            if (at === 'change' && namespace === 'ticket') isHeld = true
          }
          state.get = (namespace, ...rest) => (fails('get', namespace), get(namespace, ...rest))
          state.change = (namespace, ...rest) => (fails('change', namespace), change(namespace, ...rest))
          await expect(floors.call(context, 'office__look')).rejects.toMatchObject({ code: 'store.failed' })
          expect(isHeld).toBe(true)
          Object.assign(state, { get, change })
          expect((await floors.call(context, 'office__look')).isError).toBeUndefined()
          expect(decided()).toMatchObject({ ticket: 'matched' })
        },
        { turns: { tickets: 'required' } },
      ),
  )

  test('narrows its own conversation only: the other conversations of the key keep their tools', () =>
    talking(async ({ floors, ask, decided }) => {
      await ask('read', proposes(['c1', 'office__web']))
      const context = await floors.context(keys.alice, 'x')
      await floors.call(context, 'office__web')
      await ask('send', proposes(['c2', 'office__send']))
      expect((await floors.call(context, 'office__send')).isError).toBeUndefined()
      expect(decided()).toMatchObject({ ticket: 'matched', action: 'release' })
      expect((await floors.operations.listTools(context)).tools.map(({ name }) => name)).toContain('office__send')
    }))

  test('is decided on the connection too, which has read something by itself', () =>
    talking(async ({ floors, ask }) => {
      const context = await floors.context(keys.alice, 'x')
      await floors.call(context, 'office__web')
      await ask('send', proposes(['c1', 'office__send']))
      expect((await floors.call(context, 'office__send')).isError).toBe(true)
    }))
})

describe('a call without a ticket', () => {
  const readInConversation = async ({ ask }: Talk): Promise<void> => {
    await ask('read', proposes(['c1', 'office__web']))
    await ask('read', { text: 'Well.' }, { messages: [made(['c1', 'office__web']), result('c1', 'a page')] })
  }

  test('is decided on every conversation in which the tool was offered lately', () =>
    talking(async (talk) => {
      await readInConversation(talk)
      expect((await talk.floors.call(await talk.floors.context(keys.alice, 'x'), 'office__send')).isError).toBe(true)
    }))

  test('has nothing to do with conversations of another application or agent', () =>
    talking(async (talk) => {
      await readInConversation(talk)
      for (const key of [other, agent])
        expect((await talk.floors.call(await talk.floors.context(key, 'x'), 'office__send')).isError).toBeUndefined()
    }))

  test('has nothing to do with a conversation that was not offered the tool, or long ago', () =>
    talking(async (talk) => {
      await talk.ask('read', proposes(['c1', 'office__web']), { tools: [] })
      await talk.ask('read', { text: 'Well.' }, { tools: [], messages: [made(['c1', 'office__web']), result('c1', 'a page')] })
      const context = await talk.floors.context(keys.alice, 'x')
      expect((await talk.floors.call(context, 'office__send')).isError).toBeUndefined()
      await readInConversation(talk)
      expect((await talk.floors.call(context, 'office__send')).isError).toBe(true)
      talk.floors.clock.advance(700_000)
      expect((await talk.floors.call(context, 'office__send')).isError).toBeUndefined()
    }))

  test('that the model was refused a moment ago is decided on that conversation, though nobody offered the tool', () =>
    talking(async ({ floors, ask }) => {
      await ask('read', proposes(['c1', 'office__web']), { tools: [] })
      await ask('read', proposes(['c2', 'office__send']), { tools: [], messages: [made(['c1', 'office__web']), result('c1', 'a page')] })
      expect((await floors.call(await floors.context(keys.alice, 'x'), 'office__send')).isError).toBe(true)
    }))

  test('comes from one of too many conversations: then nobody can say what it has read', () =>
    talking(async ({ floors, ask }) => {
      for (let index = 0; index < 260; index += 1) await ask(`conversation ${index}`, { text: 'Well.' })
      expect((await floors.call(await floors.context(keys.alice, 'x'), 'office__send')).isError).toBe(true)
    }))
})

describe('without model calls', () => {
  const config = (turns: object = {}): ConfigInput =>
    configOf({
      contracts: { web__fetch: { output: { trust: 'untrusted' } }, mail__send: contracts.office__send },
      servers: { web: { transport: 'http', url: 'http://127.0.0.1:9/mcp' }, mail: { transport: 'http', url: 'http://127.0.0.1:9/mcp' } },
      gateways: { reading: { servers: ['web'] }, sending: { servers: ['mail'] } },
      keys: severalKeys,
      turns,
    })
  const mailTools = { web__fetch: {}, mail__send: {} }
  const sends = async (floors: Floors, key = keys.alice, client = 'b') =>
    (await floors.call(await floors.context(key, client, 'sending'), 'mail__send')).isError !== true

  test('what is read at one gateway counts at another, under whatever name the client connects', async () => {
    await using floors = await openFloors({ config: config(), tools: mailTools })
    expect(await sends(floors)).toBe(true)
    await floors.call(await floors.context(keys.alice, 'a', 'reading'), 'web__fetch')
    expect(await sends(floors)).toBe(false)
    expect(await sends(floors, other)).toBe(true)
    expect(await sends(floors, agent)).toBe(true)
  })

  test('a session of connections ends after a silence, and not while somebody uses it', async () => {
    await using floors = await openFloors({ config: config({ mcp_idle_ms: 100_000 }), tools: mailTools })
    await floors.call(await floors.context(keys.alice, 'a', 'reading'), 'web__fetch')
    for (let index = 0; index < 5; index += 1) {
      floors.clock.advance(90_000)
      expect(await sends(floors)).toBe(false)
    }
    floors.clock.advance(100_001)
    expect(await sends(floors)).toBe(true)
  })

  test('two connections that begin at the same moment are one session', async () => {
    await using floors = await openFloors({ config: config(), tools: mailTools })
    const contexts = await Promise.all(['a', 'b', 'c'].map((client) => floors.context(keys.alice, client, 'reading')))
    await Promise.all(contexts.map((context) => floors.call(context, 'web__fetch')))
    expect(new Set(floors.log.records.filter(({ kind }) => kind === 'tool_call').map(({ session }) => session)).size).toBe(1)
  })
})

describe('the session id the gateway returns', () => {
  test('is accepted back: it names that session, for the same person and application', () =>
    talking(async ({ floors, ask, decided }) => {
      await ask('read', proposes(['c1', 'office__web']))
      const headers = await ask('read', { text: 'Well.' }, { messages: [made(['c1', 'office__web']), result('c1', 'a page')] })
      const returned = { 'x-turnward-session': String(headers['x-turnward-session']) }
      expect((await floors.call(await floors.context(keys.alice, 'x', 'main', returned), 'office__send')).isError).toBe(true)
      expect(decided().session).toBe(returned['x-turnward-session'])
      await floors.call(await floors.context(other, 'x', 'main', returned), 'office__send')
      expect(decided()).toMatchObject({ action: 'release' })
      expect(decided().session).not.toBe(returned['x-turnward-session'])
    }))

  test('does not let a call choose a cleaner session than the conversations it may come from', () =>
    talking(async ({ floors, ask }) => {
      await ask('read', proposes(['c1', 'office__web']))
      await ask('read', { text: 'Well.' }, { messages: [made(['c1', 'office__web']), result('c1', 'a page')] })
      expect(
        (await floors.call(await floors.context(keys.alice, 'x', 'main', { 'x-turnward-session': 'brand-new' }), 'office__send')).isError,
      ).toBe(true)
    }))
})
