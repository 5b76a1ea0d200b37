/** Nothing disappears without a word: what the model and the person are told, over real floors. */
import { describe, expect, test } from 'vitest'
import { say, type ModelAnswer } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor, type Vendor } from '../../../../conformance/harness/vendor.ts'
import { keys, openFloors, type ConfigInput, type Floors } from '../../invariants/floors.fixture.ts'
import { vendorConfig, wires, type Wire } from '../../invariants/vendors.fixture.ts'

const contracts = {
  web: { output: { trust: 'untrusted' } },
  look: { output: { trust: 'trusted' } },
  office__send: { effects: ['egress'], requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
  shell: { requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
}

/** A conversation that reads the web in its first step, with tools that this takes away. */
class Conversation {
  readonly #wire: Wire
  readonly #floors: Floors
  readonly #vendor: Vendor
  readonly messages: object[] = []

  constructor(wire: Wire, floors: Floors, vendor: Vendor) {
    this.#wire = wire
    this.#floors = floors
    this.#vendor = vendor
  }

  async ask(more: object = {}): Promise<string> {
    const names = ['web', 'look', 'office__send', 'shell']
    const tools = names.map((name) =>
      this.#wire.kind === 'openai'
        ? { type: 'function', function: { name, parameters: { type: 'object' } } }
        : { name, input_schema: { type: 'object' } },
    )
    return (
      await post(`${this.#floors.url}${this.#wire.path}`, keys.alice, {
        model: 'm',
        max_tokens: 100,
        stream: this.#wire.stream,
        tools,
        messages: this.messages,
        ...more,
      })
    ).text
  }

  user(text: string): void {
    this.messages.push({ role: 'user', content: text })
  }

  called(id: string, name: string, result: string): void {
    if (this.#wire.kind === 'openai') {
      this.messages.push(
        { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name, arguments: '{}' } }] },
        { role: 'tool', tool_call_id: id, content: result },
      )
    } else {
      this.messages.push(
        { role: 'assistant', content: [{ type: 'tool_use', id, name, input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: result }] },
      )
    }
  }

  /** What the vendor was sent last, as text. */
  get sent(): string {
    return JSON.stringify(this.#vendor.requests.at(-1)?.body.messages)
  }

  get offered(): readonly string[] {
    const tools = (this.#vendor.requests.at(-1)?.body.tools ?? []) as { name?: string; function?: { name: string } }[]
    return tools.map((tool) => tool.name ?? tool.function?.name ?? '')
  }
}

interface Setup extends AsyncDisposable {
  readonly conversation: Conversation
  readonly answers: ModelAnswer[]
}

async function begun(wire: Wire, parts: ConfigInput = {}): Promise<Setup> {
  const answers: ModelAnswer[] = [{ calls: [{ id: 'call_1', name: 'web' }] }]
  const vendor = await startVendor((request) => say(request, answers.shift() ?? { text: 'Well.' }))
  const floors = await openFloors({ config: vendorConfig(wire.kind, vendor.url, { contracts, ...parts }), tools: { office__send: {} } })
  const conversation = new Conversation(wire, floors, vendor)
  conversation.user('Look at the page.')
  await conversation.ask()
  conversation.called('call_1', 'web', 'a page that somebody wrote')
  return {
    conversation,
    answers,
    async [Symbol.asyncDispose]() {
      await floors[Symbol.asyncDispose]()
      await vendor.close()
    },
  }
}

describe.each(wires)('when the offer shrinks ($path, stream: $stream)', (wire) => {
  test('the model is told once what is withheld, and because of which read', async () => {
    await using setup = await begun(wire)
    const { conversation } = setup
    await conversation.ask()
    expect(conversation.offered).toEqual(['web', 'look'])
    expect(conversation.sent.split('<gateway-notice>')).toHaveLength(2)
    expect(conversation.sent).toMatch(
      /withholds these tools from here on: `office__send`, `shell`\. Reason: this conversation has read `web` and is now of trust `untrusted`/,
    )
    // Nothing under this configuration would.
    expect(conversation.sent).toContain('Do not call them; use the tools that are left')
    // Nothing of what was read is in it.
    expect(conversation.sent.split('<gateway-notice>')[1]).not.toContain('somebody wrote')
  })

  test('the words stay where they were said, so that what a provider has cached of the conversation holds', async () => {
    await using setup = await begun(wire)
    const { conversation, answers } = setup
    answers.push({ calls: [{ id: 'call_2', name: 'look' }] })
    await conversation.ask()
    const before = conversation.sent.slice(0, -1)
    conversation.called('call_2', 'look', 'nothing there')
    await conversation.ask()
    expect(conversation.sent.startsWith(before)).toBe(true)
    expect(conversation.sent.split('<gateway-notice>')).toHaveLength(2)
  })

  test('the person reads one line in the answer of that turn, and not again in the next', async () => {
    await using setup = await begun(wire)
    const { conversation, answers } = setup
    const first = await conversation.ask()
    expect(first).toContain('[Turnward] withheld `office__send`, `shell` from here on, because this conversation has read `web`')
    answers.push({ text: 'Again.' })
    conversation.messages.push({ role: 'assistant', content: 'Well.' })
    conversation.user('And now?')
    expect(await conversation.ask()).not.toContain('[Turnward]')
  })

  test('an answer that calls a tool is left alone: the line comes with the words that end the turn', async () => {
    await using setup = await begun(wire)
    const { conversation, answers } = setup
    answers.push({ text: 'I look.', calls: [{ id: 'call_2', name: 'look' }] })
    expect(await conversation.ask()).not.toContain('[Turnward]')
    conversation.called('call_2', 'look', 'nothing there')
    expect(await conversation.ask()).toContain('[Turnward] withheld')
  })

  test('of a call that is refused again and again the person reads once', async () => {
    await using setup = await begun(wire, { policy: { tools: { hide: 'never' } } })
    const { conversation, answers } = setup
    const lines: number[] = []
    for (const round of [1, 2]) {
      answers.push({ text: 'I send.', calls: [{ id: `call_s${round}`, name: 'office__send' }] }, { text: `No. ${round}` })
      lines.push((await conversation.ask()).split('[Turnward] refused').length - 1)
      conversation.messages.push({ role: 'assistant', content: `Answer ${round}.` })
      conversation.user('Again.')
    }
    expect(lines).toEqual([1, 0])
  })

  test('with `tell_user: never` the answer is as the model gave it', async () => {
    await using setup = await begun(wire, { turns: { tell_user: 'never' } })
    expect(await setup.conversation.ask()).not.toContain('[Turnward]')
  })

  test('a tool that the history refers to keeps its definition, and is refused when called', async () => {
    await using setup = await begun(wire)
    const { conversation, answers } = setup
    conversation.called('call_s', 'shell', 'it said so before')
    answers.push({ text: 'I try.', calls: [{ id: 'call_3', name: 'shell' }] })
    const answer = await conversation.ask()
    expect(conversation.offered).toEqual(['web', 'look', 'shell'])
    expect(answer).not.toContain('call_3')
  })
})

test('a conversation that has read nothing is told nothing: not of tools nobody granted, nor of those that wait for something', async () => {
  await using setup = await begun(wires[0] as Wire, {
    contracts: { ...contracts, web: { output: { trust: 'trusted' } }, office__send: { requires: { done: ['backup'] } } },
    grants: [{ principals: ['*'], models: ['*'], gateways: ['*'], tools: ['web', 'look', 'office__send'] }],
  })
  const answer = await setup.conversation.ask()
  expect(setup.conversation.offered).toEqual(['web', 'look'])
  expect(setup.conversation.sent).not.toContain('gateway-notice')
  expect(answer).not.toContain('[Turnward]')
})

test('the line stands in the last block of an answer: some clients show no other', async () => {
  for (const stream of [false, true]) {
    await using setup = await begun({ kind: 'anthropic', path: '/v1/messages', stream })
    const answer = await setup.conversation.ask()
    expect(answer.match(/content_block_start|"type":"text"/g)?.length).toBe(stream ? 3 : 1)
    expect(answer).toMatch(/\\n\\n\[Turnward\] withheld/)
  }
})

test('an answer in a form that a line would break is left alone', async () => {
  await using setup = await begun(wires[0] as Wire)
  expect(await setup.conversation.ask({ response_format: { type: 'json_object' } })).not.toContain('[Turnward]')
})
