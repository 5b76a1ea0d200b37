import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import type { JsonObject } from '../../../core/json.ts'
import type { GateRound } from '../../gate/stream-lens.ts'
import { chunkSizes, type Client, cut, eventsOf, fixture, openGate } from '../../gate/open-gate.fixture.ts'
import { messages } from './messages.ts'

const text = fixture('messages-text.sse')
const calls = fixture('messages-thinking-parallel-calls.sse')
const search = fixture('messages-web-search.sse')

interface Message {
  id: unknown
  content: JsonObject[]
  stopReason: unknown
  usage: JsonObject
  isStopped: boolean
}

/** What the official SDKs would make of a stream. */
function assemble(stream: string): Message {
  const message: Message = { id: undefined, content: [], stopReason: null, usage: {}, isStopped: false }
  const json: string[] = []
  for (const event of eventsOf(stream)) {
    if (event === '[DONE]') continue
    expect(message.isStopped).toBe(false)
    const index = Number(event.index)
    const delta = (event.delta ?? {}) as Record<string, string>
    if (event.type === 'message_start') {
      expect(message.id).toBeUndefined()
      const started = event.message as JsonObject
      message.id = started.id
      message.usage = { ...(started.usage as JsonObject) }
    } else if (event.type === 'content_block_start') {
      expect(index).toBe(message.content.length)
      message.content.push({ ...(event.content_block as JsonObject) })
      json[index] = ''
    } else if (event.type === 'content_block_delta') {
      const block = message.content[index] as Record<string, string>
      const add = (key: string, more: string | undefined): void => void (block[key] = (block[key] ?? '') + (more ?? ''))
      if (delta.type === 'text_delta') add('text', delta.text)
      else if (delta.type === 'thinking_delta') add('thinking', delta.thinking)
      else if (delta.type === 'signature_delta') add('signature', delta.signature)
      else if (delta.type === 'input_json_delta') json[index] = (json[index] ?? '') + (delta.partial_json ?? '')
    } else if (event.type === 'content_block_stop') {
      const block = message.content[index] as JsonObject
      if (json[index] !== '') block.input = JSON.parse(json[index] as string)
    } else if (event.type === 'message_delta') {
      message.stopReason = delta.stop_reason
      message.usage = { ...message.usage, ...(event.usage as JsonObject) }
    } else if (event.type === 'message_stop') message.isStopped = true
  }
  return message
}

function feed(
  client: Client,
  stream: Buffer,
  sizes: readonly number[] = [1 << 20],
): Omit<GateRound, 'assistant'> & { assistant: JsonObject } {
  for (const chunk of cut(stream, sizes)) client.gate.push(chunk)
  const round = client.gate.endRound(true)
  return { ...round, assistant: round.assistant() }
}

function event(payload: JsonObject): string {
  return `event: ${String(payload.type)}\ndata: ${JSON.stringify(payload)}\n\n`
}

function viewOf(content: JsonObject[]): string | undefined {
  return messages.readRequest({ model: 'm', messages: [{ role: 'assistant', content }] }).messages[0]?.text
}

describe('a stream without calls', () => {
  test('passes byte for byte, whatever its chunks, line ends and comments', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(text, search),
        chunkSizes,
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.nat(9), { maxLength: 4 }),
        (fixed, sizes, end, comments) => {
          const events = fixed.toString().split('\n\n')
          for (const at of comments) events.splice(at, 0, ': keep-alive')
          const stream = Buffer.from(events.join('\n\n').replaceAll('\n', end))
          const client = openGate('messages')
          const round = feed(client, stream, sizes)
          expect(client.text()).toBe(stream.toString())
          expect(round).toMatchObject({
            calls: [],
            complete: true,
            finish: 'stop',
            usage: { inputTokens: 1436, cacheReadTokens: 1024, cacheWriteTokens: 0 },
          })
          expect(client.gate.deliveredText).toBe(viewOf(assemble(stream.toString()).content))
        },
      ),
    )
  })

  test('shows tools the vendor ran, and their results, in its text', () => {
    const client = openGate('messages')
    feed(client, search)
    expect(client.gate.deliveredText).toBe(
      '[web_search {"query":"turnward"}]\nTurnward docs\nhttps://turnward.example/docs\n2 days ago\nIt is a gateway.',
    )
  })

  test('may end with a terminator of another dialect, or carry events newer than this code', () => {
    const stream = Buffer.from(`${event({ type: 'message_future' })}${text.toString()}data: [DONE]\n\n`)
    const client = openGate('messages')
    expect(feed(client, stream).complete).toBe(true)
    expect(client.text()).toBe(stream.toString())
  })
})

describe('calls', () => {
  test('are held with the end of the message while text, thinking and pings pass', () => {
    const client = openGate('messages')
    client.gate.push(calls)
    client.gate.push(Buffer.from('event: ping\ndata: {"type":"ping"}\n\n'))
    expect(client.gate.isHolding).toBe(true)
    expect(client.text()).not.toMatch(/tool_use|toolu_|message_stop|message_delta/)
    expect(client.text()).toMatch(/signature_delta[^]*both up[^]*ping/)
    const ended = client.gate.endRound(true)
    const round = { ...ended, assistant: ended.assistant() }
    expect(round.calls.map(({ name, args }) => [name, args])).toEqual([
      ['web__fetch', { url: 'https://example.com' }],
      ['mail__send', { to: 'eve@example.com', body: 'hi' }],
      ['clock__now', {}],
    ])
    expect(round.native.get('toolu_c1')).toEqual({ type: 'tool_use', id: 'toolu_c1', name: 'clock__now', input: {} })
    expect(round).toMatchObject({ complete: true, finish: 'tool_calls' })
    expect(client.gate.deliveredText).toBe('I will look both up.')
  })

  test('that are all allowed leave in their original bytes', () => {
    fc.assert(
      fc.property(chunkSizes, (sizes) => {
        const client = openGate('messages')
        const round = feed(client, calls, sizes)
        client.gate.release(new Set(round.calls.map((call) => call.id)))
        expect(client.text()).toBe(calls.toString())
        expect(client.gate.isHolding).toBe(false)
      }),
    )
  })

  test('that are refused leave no trace, and the blocks after them are numbered anew', () => {
    const ids = ['toolu_w1', 'toolu_m1', 'toolu_c1']
    fc.assert(
      fc.property(fc.subarray(ids), chunkSizes, (allowed, sizes) => {
        const client = openGate('messages')
        const round = feed(client, calls, sizes)
        client.gate.release(new Set(allowed))
        const message = assemble(client.text())
        const whole = assemble(calls.toString())
        expect(message.content).toEqual(whole.content.filter((block) => block.type !== 'tool_use' || allowed.includes(String(block.id))))
        expect(message).toMatchObject({ stopReason: allowed.length > 0 ? 'tool_use' : 'end_turn', isStopped: true })
        for (const id of ids) expect(client.text().includes(id)).toBe(allowed.includes(id))
        expect(round.assistant).toEqual({ role: 'assistant', content: whole.content })
        expect(client.gate.deliveredText).toBe(viewOf(message.content))
      }),
    )
  })

  const start = event({ type: 'message_start', message: { id: 'm', model: 'x', usage: {} } })
  const toolStart = event({ type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'a', name: 't', input: {} } })
  const end =
    event({ type: 'content_block_stop', index: 0 }) +
    event({ type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 1 } }) +
    event({ type: 'message_stop' })
  const input = (json: string): string =>
    event({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: json } })

  test.each([
    ['duplicate keys', '{"to":"ann","to":"eve"}'],
    ['invalid JSON', '{"to":"ann'],
    ['no object', '[1]'],
  ])('whose arguments are %s have none', (_name, json) => {
    const client = openGate('messages')
    const round = feed(client, Buffer.from(start + toolStart + input(json) + end))
    expect(round.calls[0]).toMatchObject({ args: undefined, argsText: json })
  })

  test('may have their whole input in the start event', () => {
    const client = openGate('messages')
    const whole = event({ type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'a', name: 't', input: { x: 1 } } })
    expect(feed(client, Buffer.from(start + whole + end)).calls[0]?.args).toEqual({ x: 1 })
  })

  test('text after a call waits with it and counts as soon as it may go out', () => {
    const client = openGate('messages')
    const after =
      event({ type: 'content_block_start', index: 1, content_block: { type: 'text', text: 'after' } }) +
      event({ type: 'content_block_stop', index: 1 })
    feed(client, Buffer.from(start + toolStart + after + end))
    expect(client.text()).toBe(start)
    expect(client.gate.deliveredText).toBe('after')
    client.gate.nextRound()
    expect(client.gate.deliveredText).toBe('')
  })

  test.each([
    [
      'two calls with one id',
      start + toolStart + toolStart.replace('"index":0', '"index":1') + event({ type: 'content_block_stop', index: 1 }) + end,
    ],
    ['a block that starts twice', start + toolStart + toolStart],
    ['a delta of no block', start + input('{}')],
    ['a delta of a closed block', start + toolStart + event({ type: 'content_block_stop', index: 0 }) + input('{}')],
    ['a block without an index', start + event({ type: 'content_block_start', content_block: { type: 'tool_use' } })],
    ['a call in the start of the message', event({ type: 'message_start', message: { content: [{ type: 'tool_use', id: 'a' }] } })],
    ['a call without a name', start + toolStart.replace('"name":"t"', '"name":""') + end],
    ['no JSON', 'event: ping\ndata: nope\n\n'],
    ['no event stream', '<html>\n\n'],
  ])('in a stream with %s are refused as malformed', (_name, stream) => {
    const client = openGate('messages')
    expect(() => feed(client, Buffer.from(stream))).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
    expect(client.text()).not.toContain('tool_use')
  })

  test('are known by what the data says, whatever the event is called', () => {
    const client = openGate('messages')
    client.gate.push(Buffer.from(start + toolStart.replace('event: content_block_start', 'event: ping')))
    expect(client.text()).toBe(start)
  })
})

describe('a stream that breaks', () => {
  test('is never complete, wherever it is cut, and shows no call', () => {
    fc.assert(
      fc.property(fc.constantFrom(text, calls), fc.double({ min: 0, max: 1, noNaN: true }), (stream, share) => {
        const client = openGate('messages')
        const end = stream.toString().lastIndexOf('event: message_stop')
        const round = feed(client, stream.subarray(0, Math.floor(share * end)), [97])
        expect(round).toMatchObject({ complete: false, calls: [] })
        expect(client.text()).not.toMatch(/"tool_use"|message_stop/)
      }),
    )
  })

  test('with an error event tells of it, and keeps it from the client', () => {
    const client = openGate('messages')
    const error = event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })
    const round = feed(client, Buffer.from(calls.toString().split('event: message_delta')[0] + error))
    expect(round).toMatchObject({ complete: false, calls: [] })
    expect(client.gate.error?.reason).toBe('Overloaded')
    expect(client.gate.error?.raw.toString()).toBe(error)
    expect(client.text()).not.toContain('Overloaded')
    expect(client.text()).not.toContain('tool_use')
  })
})

describe('several rounds', () => {
  test('read as one message: one start, blocks in sequence, summed usage', () => {
    fc.assert(
      fc.property(chunkSizes, fc.subarray(['toolu_w1', 'toolu_c1']), (sizes, allowed) => {
        const client = openGate('messages')
        feed(client, calls, sizes)
        const history = client.gate.nextRound()
        expect(history).toEqual({ role: 'assistant', content: assemble(calls.toString()).content })
        const round = feed(client, calls, sizes)
        client.gate.release(new Set(allowed))
        const message = assemble(client.text())
        expect(message.id).toBe('msg_01Calls')
        expect(message.content.map((block) => block.type)).toEqual([
          'thinking',
          'text',
          'thinking',
          'text',
          ...allowed.map(() => 'tool_use'),
        ])
        expect(message.content.map((block) => block.id).filter((id) => id !== undefined)).toEqual(allowed)
        expect(message).toMatchObject({ stopReason: allowed.length > 0 ? 'tool_use' : 'end_turn', isStopped: true })
        expect(message.usage).toMatchObject({ input_tokens: 824, output_tokens: 262, cache_read_input_tokens: 2048 })
        expect(round.usage).toMatchObject({ inputTokens: 1436, outputTokens: 131 })
        expect(client.gate.deliveredText).toBe(viewOf(message.content))
      }),
    )
  })

  test('end as they come when the last one has no calls', () => {
    const client = openGate('messages')
    feed(client, calls)
    client.gate.nextRound()
    expect(feed(client, text)).toMatchObject({ complete: true, assistant: { content: [{ text: 'Guten Tag – für Sie ☕.' }] } })
    expect(client.gate.isHolding).toBe(false)
    expect(assemble(client.text())).toMatchObject({
      stopReason: 'end_turn',
      isStopped: true,
      usage: { input_tokens: 824, output_tokens: 143 },
    })
  })

  test('end with an explanation when no call may run', () => {
    const client = openGate('messages')
    feed(client, calls)
    client.gate.nextRound()
    feed(client, calls)
    client.write(client.gate.close('Refused by policy.'))
    const message = assemble(client.text())
    expect(message.content.map((block) => block.type)).toEqual(['thinking', 'text', 'thinking', 'text', 'text'])
    expect(message).toMatchObject({ stopReason: 'end_turn', isStopped: true, usage: { input_tokens: 824, output_tokens: 262 } })
    expect(client.gate.deliveredText).toBe('I will look both up.\nI will look both up.\nRefused by policy.')
    expect(viewOf(message.content)).toBe(client.gate.deliveredText)
  })
})
