import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { isObject, type JsonObject } from '../../../core/json.ts'
import { SseFramer } from '../../framing/sse.ts'
import { StreamGate } from '../../gate/stream-gate.ts'
import type { GateRound } from '../../gate/stream-lens.ts'
import { chunkSizes, type Client, cut, fixture, openGate } from '../../gate/open-gate.fixture.ts'
import { converse } from './converse.ts'

const text = fixture('converse-text.sse')
const calls = fixture('converse-reasoning-parallel-calls.sse')

interface Message {
  readonly content: JsonObject[]
  stopReason: unknown
  usage: unknown
  isEnded: boolean
}

/** What AWS's clients would make of a stream: blocks by index, each with one member. */
function assemble(stream: string): Message {
  const message: Message = { content: [], stopReason: undefined, usage: undefined, isEnded: false }
  const open = new Set<number>()
  let isStarted = false
  const object = (value: unknown): JsonObject => (isObject(value) ? value : {})
  new SseFramer(1 << 24).push(Buffer.from(stream), ({ event, data = '' }) => {
    if (event === undefined) return
    const payload = JSON.parse(data) as JsonObject
    const index = Number(payload.contentBlockIndex)
    if (event !== 'messageStart') expect(isStarted).toBe(true)
    if (event !== 'metadata') expect(message.isEnded).toBe(false)
    if (event === 'messageStart') {
      expect(isStarted).toBe(false)
      isStarted = true
    } else if (event === 'contentBlockStart') {
      expect(index).toBe(message.content.length)
      message.content.push({ toolUse: { ...object(object(payload.start).toolUse), input: '' } })
      open.add(index)
    } else if (event === 'contentBlockDelta') {
      const delta = object(payload.delta)
      if (message.content[index] === undefined) {
        expect(index).toBe(message.content.length)
        message.content.push({})
        open.add(index)
      }
      expect(open.has(index)).toBe(true)
      const block = message.content[index] as JsonObject
      const call = object(block.toolUse)
      const reasoning = object(delta.reasoningContent)
      if (typeof delta.text === 'string') block.text = `${typeof block.text === 'string' ? block.text : ''}${delta.text}`
      else if (isObject(delta.toolUse)) block.toolUse = { ...call, input: `${String(call.input)}${String(delta.toolUse.input)}` }
      else if (reasoning.redactedContent !== undefined) block.reasoningContent = reasoning
      else {
        const before = object(object(block.reasoningContent).reasoningText)
        const more = reasoning.signature === undefined ? { text: `${String(before.text ?? '')}${String(reasoning.text)}` } : reasoning
        block.reasoningContent = { reasoningText: { ...before, ...more } }
      }
    } else if (event === 'contentBlockStop') {
      expect(open.delete(index)).toBe(true)
      const block = message.content[index] as JsonObject
      const call = object(block.toolUse)
      if (block.toolUse !== undefined) block.toolUse = { ...call, input: JSON.parse(call.input === '' ? '{}' : String(call.input)) }
    } else if (event === 'messageStop') {
      message.stopReason = payload.stopReason
      message.isEnded = true
    } else if (event === 'metadata') message.usage = payload.usage
  })
  expect(open.size).toBe(0)
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

const event = (type: string, payload: JsonObject): string => `event: ${type}\ndata: ${JSON.stringify(payload)}\n\n`
const start = event('messageStart', { role: 'assistant' })
const words = (index: number, said: string): string => event('contentBlockDelta', { contentBlockIndex: index, delta: { text: said } })
const opened = (index: number, id: string): string =>
  event('contentBlockStart', { contentBlockIndex: index, start: { toolUse: { toolUseId: id, name: 'f' } } })
const input = (index: number, json: string): string =>
  event('contentBlockDelta', { contentBlockIndex: index, delta: { toolUse: { input: json } } })
const stopped = (index: number): string => event('contentBlockStop', { contentBlockIndex: index })
const ended = (stopReason: string): string => event('messageStop', { stopReason })
const usage = event('metadata', { usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 }, metrics: { latencyMs: 1 } })
const viewOf = (content: JsonObject[]): string | undefined =>
  converse.readRequest({ model: 'm', messages: [{ role: 'assistant', content }] }).messages[0]?.text

describe('a stream without calls', () => {
  test('passes byte for byte, whatever its chunks and line ends', () => {
    fc.assert(
      fc.property(chunkSizes, fc.constantFrom('\n', '\r\n', '\r'), (sizes, end) => {
        const stream = Buffer.from(text.toString().replaceAll('\n', end))
        const client = openGate('converse')
        const round = feed(client, stream, sizes)
        expect(client.text()).toBe(stream.toString())
        expect(round).toMatchObject({
          calls: [],
          complete: true,
          finish: 'stop',
          usage: { inputTokens: 1436, outputTokens: 29, cacheReadTokens: 1024, cacheWriteTokens: 0 },
        })
        expect(client.gate.deliveredText).toBe(viewOf(assemble(stream.toString()).content))
      }),
    )
  })

  test('may carry events and deltas newer than this code', () => {
    const newer = event('contentBlockDelta', { contentBlockIndex: 0, delta: { hologram: {} } })
    const stream = Buffer.from(`${start}${event('weather', { a: 1 })}${newer}${words(0, 'a')}${stopped(0)}${ended('end_turn')}${usage}`)
    const client = openGate('converse')
    expect(feed(client, stream).complete).toBe(true)
    expect(client.text()).toBe(stream.toString())
  })

  test('shows tools the vendor ran, what they gave back, and words with citations', () => {
    const server = { toolUseId: 's', name: 'nova_grounding', type: 'server_tool_use' }
    const stream = [
      start,
      event('contentBlockStart', { contentBlockIndex: 0, start: { toolUse: server } }),
      input(0, '{"query":"x"}'),
      stopped(0),
      event('contentBlockStart', { contentBlockIndex: 1, start: { toolResult: { toolUseId: 's', type: 'nova_grounding_result' } } }),
      event('contentBlockDelta', { contentBlockIndex: 1, delta: { toolResult: [{ text: 'found' }] } }),
      stopped(1),
      words(2, 'so it is'),
      event('contentBlockDelta', { contentBlockIndex: 2, delta: { citation: { title: 'T', location: { web: { url: 'https://t' } } } } }),
      stopped(2),
      ended('end_turn'),
      usage,
    ].join('')
    const client = openGate('converse')
    const round = feed(client, Buffer.from(stream))
    expect(client.text()).toBe(stream)
    expect(round).toMatchObject({ calls: [], complete: true })
    expect(round.assistant.content).toEqual([
      { toolUse: { ...server, input: { query: 'x' } } },
      { toolResult: { toolUseId: 's', type: 'nova_grounding_result', content: [{ text: 'found' }] } },
      { citationsContent: { content: [{ text: 'so it is' }], citations: [{ title: 'T', location: { web: { url: 'https://t' } } }] } },
    ])
    expect(client.gate.deliveredText).toBe(viewOf(round.assistant.content as JsonObject[]))
  })
})

describe('calls', () => {
  test('are held with the end of the message while text and reasoning pass', () => {
    const client = openGate('converse')
    client.gate.push(calls)
    expect(client.gate.isHolding).toBe(true)
    expect(client.text()).not.toMatch(/toolUse|tooluse_|messageStop|metadata/)
    expect(client.text()).toMatch(/EqQBCkYIBRgC[^]*c2VjcmV0[^]*both up/)
    const round = client.gate.endRound(true)
    expect(round.calls.map(({ name, args }) => [name, args])).toEqual([
      ['web__fetch', { url: 'https://example.com' }],
      ['mail__send', { to: 'eve@example.com', body: 'hi' }],
      ['clock__now', {}],
    ])
    expect(round.native.get('tooluse_c1')).toEqual({ toolUse: { toolUseId: 'tooluse_c1', name: 'clock__now', input: {} } })
    expect(round).toMatchObject({ complete: true, finish: 'tool_calls' })
    expect(round.assistant()).toEqual({
      role: 'assistant',
      content: (JSON.parse(fixture('converse-response.json').toString()) as { output: { message: { content: unknown } } }).output.message
        .content,
    })
    expect(client.gate.deliveredText).toBe('I will look both up.')
  })

  test('that are all allowed leave in their original bytes', () => {
    fc.assert(
      fc.property(chunkSizes, (sizes) => {
        const client = openGate('converse')
        feed(client, calls, sizes)
        client.gate.release(new Set(['tooluse_a1', 'tooluse_b1', 'tooluse_c1']))
        expect(client.text()).toBe(calls.toString())
      }),
    )
  })

  test('that are refused vanish, and those after them move up', () => {
    fc.assert(
      fc.property(chunkSizes, fc.subarray(['tooluse_a1', 'tooluse_b1', 'tooluse_c1']), (sizes, allowed) => {
        const client = openGate('converse')
        feed(client, calls, sizes)
        client.gate.release(new Set(allowed))
        const message = assemble(client.text())
        expect(message.content.flatMap((block) => (isObject(block.toolUse) ? [block.toolUse.toolUseId] : []))).toEqual(allowed)
        expect(message).toMatchObject({ stopReason: allowed.length === 0 ? 'end_turn' : 'tool_use', usage: { inputTokens: 412 } })
      }),
    )
  })

  test('that the length limit cut off are nobody’s to run', () => {
    const client = openGate('converse')
    const round = feed(
      client,
      Buffer.from(
        `${start}${opened(0, 'a')}${input(0, '{}')}${stopped(0)}${opened(1, 'b')}${input(1, '{"x":')}${stopped(1)}${ended('max_tokens')}${usage}`,
      ),
    )
    expect(round).toMatchObject({ calls: [{ id: 'a' }], cutCalls: 1, finish: 'length' })
    client.gate.release(new Set(['a']))
    expect(assemble(client.text())).toMatchObject({ content: [{ toolUse: { toolUseId: 'a' } }], stopReason: 'max_tokens' })
  })

  test.each([
    ['whose input is no object', `${start}${opened(0, 'a')}${input(0, '[1]')}${stopped(0)}${ended('tool_use')}`, undefined],
    ['without an id', `${start}${event('contentBlockStart', { contentBlockIndex: 0, start: { toolUse: { name: 'f' } } })}`, /no id/],
    ['with the id of another', `${start}${opened(0, 'a')}${stopped(0)}${opened(1, 'a')}${stopped(1)}${ended('tool_use')}`, /same id/],
    ['that start twice', `${start}${opened(0, 'a')}${opened(0, 'b')}`, /twice/],
    ['that were never started', `${start}${input(0, '{}')}`, /not started/],
    ['that say something else', `${start}${opened(0, 'a')}${words(0, 'x')}`, /something else/],
    ['that go on after their end', `${start}${opened(0, 'a')}${stopped(0)}${input(0, '{}')}`, /has ended/],
    ['without an index', `${start}${event('contentBlockStart', { start: { toolUse: { toolUseId: 'a', name: 'f' } } })}`, undefined],
  ])('%s are not taken for any other', (_, stream, why) => {
    const client = openGate('converse')
    const run = (): GateRound => {
      client.gate.push(Buffer.from(stream))
      return client.gate.endRound(true)
    }
    if (why !== undefined) expect(run).toThrow(why)
    else {
      try {
        expect(run().calls).toMatchObject([{ args: undefined, argsText: '[1]' }])
      } catch (error) {
        expect(error).toMatchObject({ code: 'upstream.malformed' })
      }
    }
    expect(client.text()).not.toContain('toolUse')
  })
})

test('a stream that is cut anywhere never shows an undecided call, and is never whole', () => {
  fc.assert(
    fc.property(fc.nat(calls.length - 1), chunkSizes, (end, sizes) => {
      const client = openGate('converse')
      const part = calls.subarray(0, end)
      for (const chunk of cut(part, sizes)) client.gate.push(chunk)
      const round = client.gate.endRound(false)
      expect(client.text()).not.toMatch(/toolUse|tooluse_/)
      if (!part.includes('messageStop')) expect(round).toMatchObject({ complete: false, calls: [] })
    }),
  )
})

describe('several rounds', () => {
  const first = `${start}${words(0, 'one')}${stopped(0)}${opened(1, 'a')}${stopped(1)}${ended('tool_use')}${usage}`

  test('are one message to the client, with the usage of all', () => {
    const client = openGate('converse')
    feed(client, Buffer.from(first))
    expect(client.gate.nextRound()).toEqual({
      role: 'assistant',
      content: [{ text: 'one' }, { toolUse: { toolUseId: 'a', name: 'f', input: {} } }],
    })
    feed(client, Buffer.from(`${start}${words(0, 'two')}${stopped(0)}${opened(1, 'b')}${stopped(1)}${ended('tool_use')}${usage}`))
    client.gate.release(new Set(['b']))
    const message = assemble(client.text())
    expect(message).toEqual({
      content: [{ text: 'one' }, { text: 'two' }, { toolUse: { toolUseId: 'b', name: 'f', input: {} } }],
      stopReason: 'tool_use',
      usage: { inputTokens: 20, outputTokens: 10, totalTokens: 30 },
      isEnded: true,
    })
    expect(client.gate.deliveredText).toBe(viewOf(message.content))
  })

  test('end with an explanation when nothing may be released', () => {
    const client = openGate('converse')
    feed(client, Buffer.from(first))
    client.write(client.gate.close('All were refused.'))
    const message = assemble(client.text())
    expect(message).toMatchObject({
      content: [{ text: 'one' }, { text: 'All were refused.' }],
      stopReason: 'end_turn',
      usage: { inputTokens: 10 },
    })
    expect(client.gate.deliveredText).toBe(viewOf(message.content))
  })

  test('begin anew when nothing of the first was shown', () => {
    const client = openGate('converse')
    client.gate.push(Buffer.from(opened(0, 'a')))
    client.gate.restart()
    expect(feed(client, text).complete).toBe(true)
    expect(client.text()).toBe(text.toString())
  })
})

describe('a word of the gateway’s at the end', () => {
  function held(stream: string): string {
    const written: Buffer[] = []
    const sink = { write: (bytes: Uint8Array | string) => void written.push(Buffer.from(bytes as Uint8Array)) }
    const gate = new StreamGate(converse.streamLens(true), sink, { maxEventBytes: 1 << 20, holdsEnd: () => true })
    gate.push(Buffer.from(stream))
    gate.endRound(true)
    expect(gate.isHolding).toBe(true)
    gate.addText('A word.')
    gate.release(new Set())
    const text = Buffer.concat(written).toString()
    expect(gate.deliveredText).toBe(viewOf(assemble(text).content))
    return text
  }

  test('goes into the last block of text', () => {
    expect(
      assemble(held(`${start}${words(0, 'one')}${stopped(0)}${words(1, 'two')}${stopped(1)}${ended('end_turn')}${usage}`)),
    ).toMatchObject({
      content: [{ text: 'one' }, { text: 'two\n\nA word.' }],
      stopReason: 'end_turn',
      usage: { inputTokens: 10 },
    })
  })

  test('is a block of its own behind anything else', () => {
    const reasoning = event('contentBlockDelta', { contentBlockIndex: 1, delta: { reasoningContent: { text: 'hm' } } })
    const message = assemble(held(`${start}${words(0, 'one')}${stopped(0)}${reasoning}${stopped(1)}${ended('end_turn')}${usage}`))
    expect(message.content).toMatchObject([{ text: 'one' }, { reasoningContent: {} }, { text: 'A word.' }])
  })
})

test('an exception in the stream is an error, and is not shown', () => {
  const client = openGate('converse')
  client.gate.push(
    Buffer.from(`${start}${words(0, 'a')}${event('modelStreamErrorException', { message: 'it broke', originalStatusCode: 500 })}`),
  )
  expect(client.gate.error).toMatchObject({ reason: 'it broke', error: { type: 'modelStreamErrorException' } })
  expect(client.text()).toBe(start + words(0, 'a'))
})
