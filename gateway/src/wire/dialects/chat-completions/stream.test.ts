import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import type { JsonObject } from '../../../core/json.ts'
import { chatCompletions } from './chat-completions.ts'
import type { GateRound } from '../../gate/stream-lens.ts'
import { chunkSizes, type Client, cut, eventsOf, fixture, openGate } from '../../gate/open-gate.fixture.ts'

const text = fixture('chat-text.sse')
const parallel = fixture('chat-parallel-calls.sse')
const zeroArgument = fixture('chat-zero-argument-call.sse')

interface Message {
  ids: Set<unknown>
  role: string[]
  content: string
  calls: { id: string; name: string; arguments: string }[]
  finish: unknown[]
  usage: JsonObject[]
  isDone: boolean
}

/** What the official SDKs would make of a stream. */
function assemble(stream: string): Message {
  const message: Message = { ids: new Set(), role: [], content: '', calls: [], finish: [], usage: [], isDone: false }
  for (const event of eventsOf(stream)) {
    expect(message.isDone).toBe(false)
    if (event === '[DONE]') {
      message.isDone = true
      continue
    }
    message.ids.add(event.id)
    if (event.usage) message.usage.push(event.usage as JsonObject)
    for (const choice of event.choices as { delta: Record<string, never>; finish_reason: string | null }[]) {
      expect(message.finish).toEqual([])
      if (choice.delta.role) message.role.push(choice.delta.role)
      message.content += choice.delta.content ?? ''
      for (const part of (choice.delta.tool_calls ?? []) as {
        index: number
        id?: string
        function?: { name?: string; arguments?: string }
      }[]) {
        expect(part.index).toBeLessThanOrEqual(message.calls.length)
        const call = (message.calls[part.index] ??= { id: '', name: '', arguments: '' })
        call.id += part.id ?? ''
        call.name += part.function?.name ?? ''
        call.arguments += part.function?.arguments ?? ''
      }
      if (choice.finish_reason !== null) message.finish.push(choice.finish_reason)
    }
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

function chunk(choice: object, more: object = {}): string {
  return `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, finish_reason: null, ...choice }], ...more })}\n\n`
}

const call = (index: number, id: string, name: string, args: string): object => ({
  delta: { tool_calls: [{ index, id, type: 'function', function: { name, arguments: args } }] },
})
const done = 'data: [DONE]\n\n'

describe('a stream without calls', () => {
  test('passes byte for byte, whatever its chunks, line ends and comments', () => {
    fc.assert(
      fc.property(chunkSizes, fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(7), { maxLength: 4 }), (sizes, end, comments) => {
        const events = text.toString().split('\n\n')
        for (const at of comments) events.splice(at, 0, ': keep-alive')
        const stream = Buffer.from(events.join('\n\n').replaceAll('\n', end))
        const client = openGate('chat-completions')
        const round = feed(client, stream, sizes)
        expect(client.text()).toBe(stream.toString())
        expect(round).toMatchObject({
          calls: [],
          complete: true,
          finish: 'stop',
          assistant: { content: 'Guten Tag – für Sie ☕.' },
          usage: { inputTokens: 21, outputTokens: 9, cacheReadTokens: 0 },
          responseId: 'chatcmpl-CeQ1',
        })
        expect(client.gate.deliveredText).toBe(round.assistant.content)
      }),
    )
  })

  test('goes out in one write for each chunk that comes in', () => {
    const client = openGate('chat-completions')
    client.gate.push(text)
    expect(client.writes()).toBe(1)
  })

  test('loses its usage chunk, and nothing else, when the client did not ask for it', () => {
    const client = openGate('chat-completions', { hideUsageChunk: true })
    const round = feed(client, text, [50])
    const events = text.toString().split('\n\n')
    expect(client.text()).toBe(events.filter((event) => !event.includes('"choices":[]')).join('\n\n'))
    expect(round.usage).toMatchObject({ inputTokens: 21 })
  })

  test.each([
    ['a vendor’s own event', 'data: {"id":"x","object":"heartbeat"}\n\n'],
    ['Azure’s opening chunk', 'data: {"choices":[],"id":"","model":"","prompt_filter_results":[]}\n\n'],
  ])('passes %s', (_name, event) => {
    const client = openGate('chat-completions', { hideUsageChunk: true })
    client.gate.push(Buffer.from(event))
    expect(client.text()).toBe(event)
  })
})

describe('calls', () => {
  test('are held with the end of the message while text and comments pass', () => {
    const client = openGate('chat-completions')
    client.gate.push(parallel)
    client.gate.push(Buffer.from(': keep-alive\n\n'))
    expect(client.gate.isHolding).toBe(true)
    expect(client.text()).not.toMatch(/tool_calls|web__fetch|DONE|"usage":\{/)
    const ended = client.gate.endRound(true)
    const round = { ...ended, assistant: ended.assistant() }
    expect(assemble(client.text())).toMatchObject({ content: 'I will look both up.', finish: [], isDone: false })
    expect(round.calls.map(({ name, args }) => [name, args])).toEqual([
      ['web__fetch', { url: 'https://example.com' }],
      ['mail__send', { to: 'eve@example.com', body: 'hi' }],
      ['clock__now', {}],
    ])
    expect(round).toMatchObject({
      complete: true,
      finish: 'tool_calls',
      assistant: { content: 'I will look both up.' },
      usage: { cacheReadTokens: 256 },
    })
    expect(round.native.get('call_m1')).toEqual({
      id: 'call_m1',
      type: 'function',
      function: { name: 'mail__send', arguments: '{"to":"eve@example.com","body":"hi"}' },
    })
  })

  test('that are all allowed leave in their original bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(parallel, zeroArgument), chunkSizes, (stream, sizes) => {
        const client = openGate('chat-completions')
        const round = feed(client, stream, sizes)
        client.gate.release(new Set(round.calls.map((one) => one.id)))
        expect(client.text()).toBe(stream.toString())
        expect(client.gate.isHolding).toBe(false)
      }),
    )
  })

  test('that are refused leave no trace, and the others are numbered anew', () => {
    const ids = ['call_w1', 'call_m1', 'call_c1']
    fc.assert(
      fc.property(fc.subarray(ids), chunkSizes, (allowed, sizes) => {
        const client = openGate('chat-completions')
        feed(client, parallel, sizes)
        client.gate.release(new Set(allowed))
        const message = assemble(client.text())
        expect(message.calls.map((one) => one.id)).toEqual(allowed)
        expect(message).toMatchObject({
          role: ['assistant'],
          content: 'I will look both up.',
          finish: [allowed.length > 0 ? 'tool_calls' : 'stop'],
          isDone: true,
        })
        for (const id of ids) expect(client.text().includes(id)).toBe(allowed.includes(id))
        if (!allowed.includes('call_m1')) expect(client.text()).not.toContain('eve@')
      }),
    )
  })

  test('share a chunk with text: the text passes, the call waits', () => {
    const client = openGate('chat-completions')
    const stream =
      chunk({
        delta: {
          role: 'assistant',
          content: 'Hm. ',
          tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 't', arguments: '{}' } }],
        },
        finish_reason: 'tool_calls',
      }) + done
    const round = feed(client, Buffer.from(stream))
    expect(assemble(client.text())).toMatchObject({ content: 'Hm. ', calls: [], finish: [] })
    expect(round.calls).toHaveLength(1)
    client.gate.release(new Set(['a']))
    expect(assemble(client.text())).toMatchObject({
      role: ['assistant'],
      content: 'Hm. ',
      calls: [{ id: 'a', name: 't', arguments: '{}' }],
      finish: ['tool_calls'],
      isDone: true,
    })
  })

  test('whose arguments have duplicate keys have no arguments', () => {
    const client = openGate('chat-completions')
    const round = feed(
      client,
      Buffer.from(chunk(call(0, 'a', 't', '{"to":"ann","to":"eve"}')) + chunk({ delta: {}, finish_reason: 'tool_calls' }) + done),
    )
    expect(round.calls[0]).toMatchObject({ args: undefined, argsText: '{"to":"ann","to":"eve"}' })
  })

  test('of custom tools have one argument, their input', () => {
    const client = openGate('chat-completions')
    const first = chunk({
      delta: { role: 'assistant', tool_calls: [{ index: 0, id: 'a', type: 'custom', custom: { name: 'sh', input: 'ls ' } }] },
    })
    const round = feed(
      client,
      Buffer.from(
        first +
          chunk({ delta: { tool_calls: [{ index: 0, custom: { input: '-l' } }] } }) +
          chunk({ delta: {}, finish_reason: 'tool_calls' }) +
          done,
      ),
    )
    expect(round.calls).toEqual([{ id: 'a', name: 'sh', args: { input: 'ls -l' }, argsText: 'ls -l' }])
    expect(round.native.get('a')).toEqual({ id: 'a', type: 'custom', custom: { name: 'sh', input: 'ls -l' } })
  })

  test('of several choices are all held and decided', () => {
    const client = openGate('chat-completions')
    const stream =
      chunk({ index: 0, ...call(0, 'a', 't', '{}') }) +
      chunk({ index: 1, delta: { role: 'assistant', content: 'x' } }) +
      chunk({ index: 1, ...call(0, 'b', 't', '{}') }) +
      chunk({ index: 0, delta: {}, finish_reason: 'tool_calls' }) +
      chunk({ index: 1, delta: {}, finish_reason: 'tool_calls' }) +
      done
    const round = feed(client, Buffer.from(stream))
    expect(round.calls.map((one) => one.id)).toEqual(['a', 'b'])
    expect(client.text()).not.toContain('tool_calls')
    client.gate.release(new Set(['b']))
    const finishes = eventsOf(client.text()).flatMap((event) =>
      event === '[DONE]' ? [] : (event.choices as JsonObject[]).map((one) => [one.index, one.finish_reason]),
    )
    expect(finishes).toContainEqual([0, 'stop'])
    expect(finishes).toContainEqual([1, 'tool_calls'])
    expect(client.text()).not.toContain('"a"')
  })

  test.each([
    ['a function_call', chunk({ delta: { function_call: { name: 't', arguments: '{}' } } })],
    ['a call in a whole message', chunk({ message: { tool_calls: [{ id: 'a' }] } })],
    ['a call that nobody can tell from another', chunk({ delta: { tool_calls: [{ function: { arguments: '{}' } }] } })],
    ['a call that changes its id', chunk(call(0, 'a', 't', '')) + chunk(call(0, 'b', '', ''))],
    ['a call that changes its name', chunk(call(0, 'a', 't', '{')) + chunk(call(0, 'a', 'u', '}'))],
    ['a call of an unknown type', chunk({ delta: { tool_calls: [{ index: 0, id: 'a', type: 'shell' }] } })],
    [
      'two calls with one id',
      chunk(call(0, 'a', 't', '')) + chunk(call(1, 'a', 't', '')) + chunk({ delta: {}, finish_reason: 'tool_calls' }) + done,
    ],
    ['a call without a name', chunk(call(0, 'a', '', '')) + chunk({ delta: {}, finish_reason: 'tool_calls' }) + done],
    ['tool_calls that are no array', chunk({ delta: { tool_calls: { 0: {} } } })],
    ['choices that are no array', 'data: {"choices":{"0":{}}}\n\n'],
    ['JSON that is no object', 'data: [{"choices":[]}]\n\n'],
    ['no JSON', 'data: {"choices":[\n\n'],
    ['no event stream', '<html>\n<body>502</body>\n\n'],
  ])('in a stream with %s are refused as malformed', (_name, stream) => {
    const client = openGate('chat-completions')
    expect(() => feed(client, Buffer.from(stream))).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
    expect(client.text()).not.toMatch(/tool_calls|function_call/)
  })

  test.each([[['a', 'b']], [['b']]])(
    'whose name comes in pieces are decided by the whole of it, and reach every client with it: %j',
    (released) => {
      const client = openGate('chat-completions')
      const stream =
        chunk(call(0, 'a', 'read', '')) +
        chunk(call(1, 'b', 'wipe', '')) +
        chunk({ delta: { tool_calls: [{ index: 0, function: { name: '_file' } }] } }) +
        chunk({ delta: { tool_calls: [{ index: 1, function: { name: '_disk', arguments: '{}' } }] } }) +
        chunk({ delta: { tool_calls: [{ index: 0, function: { arguments: '{}' } }] } }) +
        chunk({ delta: {}, finish_reason: 'tool_calls' }) +
        done
      const round = feed(client, Buffer.from(stream))
      expect(round.calls.map(({ name }) => name)).toEqual(['read_file', 'wipe_disk'])
      expect(round.native.get('b')).toMatchObject({ function: { name: 'wipe_disk' } })
      client.gate.release(new Set(released))
      expect(assemble(client.text()).calls.map(({ name }) => name)).toEqual(
        released.length === 2 ? ['read_file', 'wipe_disk'] : ['wipe_disk'],
      )
      // One that keeps the first name it sees has the same.
      expect(client.text().match(/"name":"[^"]*"/g)).toEqual(
        released.length === 2 ? ['"name":"read_file"', '"name":"wipe_disk"'] : ['"name":"wipe_disk"'],
      )
    },
  )

  test('that repeat their name with every fragment reach the client with one name', () => {
    const client = openGate('chat-completions')
    feed(
      client,
      Buffer.from(
        chunk(call(0, 'a', 't', '{')) +
          chunk({ delta: { tool_calls: [{ index: 0, function: { name: 't', arguments: '}' } }] } }) +
          chunk({ delta: {}, finish_reason: 'tool_calls' }) +
          done,
      ),
    )
    client.gate.release(new Set(['a']))
    expect(assemble(client.text()).calls).toEqual([{ id: 'a', name: 't', arguments: '{}' }])
  })

  test('larger than every bound are refused', () => {
    const client = openGate('chat-completions', { maxEventBytes: 1000 })
    client.gate.push(Buffer.from(chunk(call(0, 'a', 't', ''))))
    const fragment = Buffer.from(chunk({ delta: { tool_calls: [{ index: 0, function: { arguments: 'x'.repeat(500) } }] } }))
    expect(() => {
      for (let count = 0; count < 100; count++) client.gate.push(fragment)
    }).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
  })
})

describe('a stream that breaks', () => {
  test('is never complete, wherever it is cut, and shows no call', () => {
    fc.assert(
      fc.property(fc.constantFrom(text, parallel), fc.double({ min: 0, max: 1, noNaN: true }), (stream, share) => {
        const client = openGate('chat-completions')
        const end = stream.length - 'data: [DONE]\n\n'.length
        for (const piece of cut(stream.subarray(0, Math.floor(share * end)), [97])) client.gate.push(piece)
        const round = client.gate.endRound(false)
        expect(round.complete).toBe(false)
        expect(round.calls).toEqual([])
        expect(client.text()).not.toMatch(/tool_calls|DONE/)
      }),
    )
  })

  test('after the finish of every choice is complete, if its body ended properly', () => {
    const stream = Buffer.from(chunk(call(0, 'a', 't', '{}')) + chunk({ delta: {}, finish_reason: 'tool_calls' }))
    const client = openGate('chat-completions')
    expect(feed(client, stream)).toMatchObject({ complete: true, calls: [{ id: 'a' }] })
    client.gate.release(new Set(['a']))
    expect(assemble(client.text())).toMatchObject({ calls: [{ id: 'a' }], isDone: true })
    const open = Buffer.from(chunk({ delta: { content: 'a' }, finish_reason: 'stop' }) + chunk({ index: 1, delta: { content: 'b' } }))
    expect(feed(openGate('chat-completions'), open)).toMatchObject({ complete: false })
  })

  test('with an error event tells of it, and keeps it and what follows from the client', () => {
    const client = openGate('chat-completions')
    const error = 'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'
    const round = feed(client, Buffer.from(chunk(call(0, 'a', 't', '{}')) + error))
    expect(round).toMatchObject({ complete: false, calls: [] })
    expect(client.gate.error?.reason).toBe('overloaded')
    expect(client.gate.error?.raw.toString()).toBe(error)
    client.gate.push(Buffer.from(chunk({ delta: { content: 'late' } })))
    expect(client.text()).toBe('')
  })

  test('only at its last blank line is complete, and ends properly', () => {
    const client = openGate('chat-completions')
    const round = feed(client, text.subarray(0, text.length - 2))
    expect(round.complete).toBe(true)
    expect(assemble(client.text()).isDone).toBe(true)
  })
})

describe('several rounds', () => {
  test('read as one message: one id, one role, summed usage, the text of all', () => {
    fc.assert(
      fc.property(chunkSizes, fc.boolean(), (sizes, hideUsageChunk) => {
        const client = openGate('chat-completions', { hideUsageChunk })
        feed(client, parallel, sizes)
        const history = client.gate.nextRound()
        expect(history).toMatchObject({
          role: 'assistant',
          content: 'I will look both up.',
          tool_calls: [{ id: 'call_w1' }, { id: 'call_m1' }, { id: 'call_c1' }],
        })
        expect(client.gate.isHolding).toBe(false)
        const round = feed(client, text, sizes)
        const message = assemble(client.text())
        expect([...message.ids]).toEqual(['chatcmpl-CeQ2'])
        expect(message).toMatchObject({
          role: ['assistant'],
          content: 'I will look both up.\n\nGuten Tag – für Sie ☕.',
          calls: [],
          finish: ['stop'],
          isDone: true,
        })
        expect(message.usage).toMatchObject(
          hideUsageChunk
            ? []
            : [{ prompt_tokens: 331, completion_tokens: 67, total_tokens: 398, prompt_tokens_details: { cached_tokens: 256 } }],
        )
        expect(round).toMatchObject({
          assistant: { content: 'Guten Tag – für Sie ☕.' },
          usage: { inputTokens: 21 },
          responseId: 'chatcmpl-CeQ1',
        })
        expect(viewOf(message.content)).toBe(client.gate.deliveredText)
      }),
    )
  })

  test('show the role even when the first round had nothing to say', () => {
    const client = openGate('chat-completions')
    feed(client, zeroArgument)
    expect(client.text()).toBe('')
    client.gate.nextRound()
    feed(client, parallel)
    client.gate.release(new Set(['call_m1']))
    expect(assemble(client.text())).toMatchObject({
      role: ['assistant'],
      content: 'I will look both up.',
      calls: [{ id: 'call_m1', name: 'mail__send' }],
      finish: ['tool_calls'],
    })
  })

  test('end with an explanation when no call may run', () => {
    const client = openGate('chat-completions')
    feed(client, parallel)
    client.gate.nextRound()
    feed(client, zeroArgument)
    client.write(client.gate.close('Refused by policy.'))
    const message = assemble(client.text())
    expect(message).toMatchObject({
      role: ['assistant'],
      content: 'I will look both up.\n\nRefused by policy.',
      calls: [],
      finish: ['stop'],
      isDone: true,
    })
    expect(message.usage).toMatchObject([{ prompt_tokens: 370, completion_tokens: 69 }])
    expect(client.gate.deliveredText).toBe(message.content)
  })

  test('keep reasoning for the history', () => {
    const client = openGate('chat-completions')
    feed(
      client,
      Buffer.from(
        chunk({ delta: { role: 'assistant', reasoning_content: 'think' } }) +
          chunk({ delta: { thinking_blocks: [{ type: 'thinking', thinking: 'think', signature: 's' }] } }) +
          chunk(call(0, 'a', 't', '{}')) +
          chunk({ delta: {}, finish_reason: 'tool_calls' }) +
          done,
      ),
    )
    expect(client.gate.nextRound()).toMatchObject({
      content: null,
      reasoning_content: 'think',
      thinking_blocks: [{ signature: 's' }],
    })
  })

  function viewOf(content: string): string | undefined {
    return chatCompletions.readRequest({ model: 'm', messages: [{ role: 'assistant', content }] }).messages[0]?.text
  }
})
