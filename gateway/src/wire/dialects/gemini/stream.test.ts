import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import type { JsonObject } from '../../../core/json.ts'
import type { GateRound } from '../../gate/stream-lens.ts'
import { chunkSizes, type Client, cut, eventsOf, fixture, openGate } from '../../gate/open-gate.fixture.ts'
import { gemini } from './gemini.ts'

const text = fixture('gemini-text.sse')
const calls = fixture('gemini-parallel-calls.sse')
const search = fixture('gemini-search.sse')

interface Answer {
  parts: JsonObject[]
  finish: unknown
  usage: JsonObject
  ids: Set<unknown>
}

/** What a client keeps of a stream: every part as it came, and the last of everything else. */
function assemble(stream: string): Answer {
  const answer: Answer = { parts: [], finish: undefined, usage: {}, ids: new Set() }
  for (const event of eventsOf(stream)) {
    if (event === '[DONE]') throw new Error('this dialect has no terminator')
    const [candidate] = event.candidates as { content?: { parts?: JsonObject[] }; finishReason?: string }[]
    expect(answer.finish).toBeUndefined()
    expect(candidate?.content?.parts).not.toHaveLength(0)
    answer.parts.push(...(candidate?.content?.parts ?? []))
    answer.finish = candidate?.finishReason
    if (event.usageMetadata !== undefined) answer.usage = event.usageMetadata as JsonObject
    answer.ids.add(event.responseId)
  }
  return answer
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

function viewOf(parts: JsonObject[]): string | undefined {
  return gemini.readRequest({ model: 'm', contents: [{ role: 'model', parts }] }).messages[0]?.text
}

const event = (parts: object[], more: object = {}): string =>
  `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts }, index: 0, ...more }] })}\n\n`
const said = (parts: readonly JsonObject[]): JsonObject[] => parts.filter((part) => part.functionCall === undefined && part.text !== '')
const madeCalls = (parts: readonly JsonObject[]): JsonObject[] => parts.filter((part) => part.functionCall !== undefined)

describe('a stream without calls', () => {
  test('passes byte for byte, whatever its chunks, line ends and comments', () => {
    fc.assert(
      fc.property(chunkSizes, fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(3), { maxLength: 4 }), (sizes, end, comments) => {
        const events = text.toString().split('\r\n\r\n')
        for (const at of comments) events.splice(at, 0, ': keep-alive')
        const stream = Buffer.from(events.join('\n\n').replaceAll('\n', end))
        const client = openGate('gemini')
        const round = feed(client, stream, sizes)
        expect(client.text()).toBe(stream.toString())
        expect(round).toMatchObject({
          calls: [],
          complete: true,
          finish: 'stop',
          usage: { inputTokens: 1436, outputTokens: 10, cacheReadTokens: 1024 },
          responseId: 'KXq-aOvDNfSWz7IP3e2n8AE',
          model: 'gemini-3-pro-preview',
        })
        expect(client.gate.deliveredText).toBe('Grüß Gott, "Welt" 🌤️!')
        expect(round.assistant).toEqual({ role: 'model', parts: assemble(stream.toString()).parts })
      }),
    )
  })

  test('of many like events is told word for word', () => {
    const words = Array.from({ length: 50 }, (_, at) => `word ${at} `)
    const stream = Buffer.from(words.map((word) => event([{ text: word }])).join('') + event([{ text: '' }], { finishReason: 'STOP' }))
    const client = openGate('gemini')
    expect(feed(client, stream, [300])).toMatchObject({ complete: true, finish: 'stop' })
    expect(client.text()).toBe(stream.toString())
    expect(client.gate.deliveredText).toBe(words.join(''))
  })

  test('shows what tools of the vendor ran, and keeps grounding where it is', () => {
    const client = openGate('gemini')
    expect(feed(client, search)).toMatchObject({ finish: 'stop', usage: { inputTokens: 130, outputTokens: 14 } })
    expect(client.text()).toBe(search.toString())
    expect(client.gate.deliveredText).toMatch(/print\(6\*7\)[^]*42[^]*It is a gateway\.$/)
    expect(client.gate.deliveredText).toBe(viewOf(assemble(search.toString()).parts))
  })

  test('whose question was blocked is a complete refusal', () => {
    const stream = `data: ${JSON.stringify({ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 4 } })}\n\n`
    const client = openGate('gemini')
    expect(feed(client, Buffer.from(stream))).toMatchObject({ complete: true, finish: 'refusal', calls: [], usage: { inputTokens: 4 } })
    expect(client.text()).toBe(stream)
  })

  test('may end with a terminator of another dialect, which no client of this one could read', () => {
    const client = openGate('gemini')
    expect(feed(client, Buffer.from(`${text.toString()}data: [DONE]\n\n`)).complete).toBe(true)
    expect(client.text()).toBe(text.toString())
  })
})

describe('calls', () => {
  test('are held with all that follows, while thoughts and text pass', () => {
    const client = openGate('gemini')
    const round = feed(client, calls)
    expect(client.gate.isHolding).toBe(true)
    expect(client.text()).toMatch(/Looking at the clock[^]*I look[^]*up\./)
    expect(client.text()).not.toMatch(/functionCall|CqYBAVSo|finishReason/)
    expect(round.calls.map(({ name, args }) => [name, args])).toEqual([
      ['get_time', {}],
      ['read_notes', { topic: 'Wäsche', deep: { b: 1, a: [1.5, null] } }],
      ['get_time', {}],
    ])
    expect(new Set(round.calls.map(({ id }) => id)).size).toBe(3)
    expect(round.native.get(round.calls[0]?.id ?? '')).toMatchObject({ thoughtSignature: expect.stringMatching(/^CqYB/) })
    expect(round).toMatchObject({ complete: true, finish: 'tool_calls', usage: { inputTokens: 82, outputTokens: 61 } })
    expect(client.gate.deliveredText).toBe('I look that up.')
  })

  test('that are all allowed leave as they came', () => {
    fc.assert(
      fc.property(chunkSizes, (sizes) => {
        const client = openGate('gemini')
        const round = feed(client, calls, sizes)
        client.gate.release(new Set(round.calls.map((call) => call.id)))
        expect(assemble(client.text())).toEqual(assemble(calls.toString()))
        expect(client.text()).not.toContain('tw_call_')
      }),
    )
  })

  test('that are refused leave no trace, and the client has the ids of the others as the gateway does', () => {
    const whole = assemble(calls.toString())
    const made = madeCalls(whole.parts)
    fc.assert(
      fc.property(fc.subarray([0, 1, 2]), chunkSizes, (allowed, sizes) => {
        const client = openGate('gemini')
        const round = feed(client, calls, sizes)
        client.gate.release(new Set(allowed.map((at) => round.calls[at]?.id ?? '')))
        const answer = assemble(client.text())
        expect(madeCalls(answer.parts)).toEqual(allowed.map((at) => made[at]))
        expect(said(answer.parts)).toEqual(said(whole.parts))
        expect(answer.finish).toBe('STOP')
        expect(answer.usage).toEqual(whole.usage)
        expect(client.text().includes('CqYBAVSo')).toBe(allowed.includes(0))
        expect(round.assistant).toEqual({ role: 'model', parts: whole.parts })
        expect(client.gate.deliveredText).toBe(viewOf(answer.parts))
      }),
    )
  })

  test('that share an event with text and the end are split from both', () => {
    const client = openGate('gemini')
    const part = { functionCall: { id: 'a', name: 'f', args: {} } }
    const stream = event([{ text: 'before' }, part, { text: 'after' }], {
      finishReason: 'STOP',
      groundingMetadata: { webSearchQueries: ['q'] },
    })
    const round = feed(client, Buffer.from(stream))
    expect(client.text()).toContain('before')
    expect(client.text()).not.toMatch(/after|functionCall|STOP|webSearchQueries/)
    client.gate.release(new Set())
    expect(assemble(client.text())).toMatchObject({ parts: [{ text: 'before' }, { text: 'after' }], finish: 'STOP' })
    expect(round.calls).toHaveLength(1)
  })

  test('that the length limit cut off are nobody’s to run', () => {
    const client = openGate('gemini')
    const stream =
      event([{ functionCall: { id: 'a', name: 'f', args: {} } }]) +
      event([{ functionCall: { id: 'b', name: 'g', args: { x: 'ha' } } }], { finishReason: 'MAX_TOKENS' })
    const round = feed(client, Buffer.from(stream))
    expect(round).toMatchObject({
      finish: 'length',
      cutCalls: 1,
      calls: [{ name: 'f' }],
      assistant: { parts: [{ functionCall: { id: 'a' } }] },
    })
    client.gate.release(new Set(round.calls.map(({ id }) => id)))
    expect(assemble(client.text())).toMatchObject({ parts: [{ functionCall: { id: 'a' } }, { text: '' }], finish: 'MAX_TOKENS' })
  })

  const named = { functionCall: { id: 'a', name: 'f', args: {} } }
  test.each([
    ['two calls with one id', event([named]) + event([named], { finishReason: 'STOP' })],
    ['a call without a name', event([{ functionCall: { args: {} } }])],
    ['arguments that are no object', event([{ functionCall: { name: 'f', args: '[]' } }])],
    [
      'arguments in pieces',
      event([{ functionCall: { name: 'f', partialArgs: [{ jsonPath: '$.x', stringValue: 'y' }], willContinue: true } }]),
    ],
    ['a call under two names', event([{ ...named, function_call: { name: 'g' } }])],
    ['two answers', `data: ${JSON.stringify({ candidates: [{ index: 0 }, { index: 1 }] })}\n\n`],
    ['no JSON', 'data: nope\n\n'],
    ['no event stream', '<html>\n\n'],
  ])('in a stream with %s are refused as malformed', (_name, stream) => {
    const client = openGate('gemini')
    expect(() => feed(client, Buffer.from(stream))).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
    expect(client.text()).not.toContain('functionCall')
  })

  test('written in the other spelling are calls all the same', () => {
    const client = openGate('gemini')
    const stream = event([{ function_call: { name: 'f', args: {} } }], { finish_reason: 'STOP' })
    feed(client, Buffer.from(stream))
    expect(client.text()).toBe('')
  })
})

describe('a stream that breaks', () => {
  test('is never complete, wherever it is cut, and shows no call', () => {
    fc.assert(
      fc.property(fc.constantFrom(text, calls), fc.double({ min: 0, max: 1, noNaN: true }), (stream, share) => {
        const client = openGate('gemini')
        const end = stream.toString('latin1').lastIndexOf('data: ')
        const round = feed(client, stream.subarray(0, Math.floor(share * end)), [97])
        expect(round).toMatchObject({ complete: false, calls: [] })
        expect(client.text()).not.toMatch(/functionCall|finishReason/)
      }),
    )
  })

  test('with an error tells of it, and keeps it from the client', () => {
    const client = openGate('gemini')
    const error = `data: ${JSON.stringify({ error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } })}\n\n`
    const broken = `${calls.toString().split('\r\n\r\n').slice(0, 4).join('\r\n\r\n')}\r\n\r\n${error}`
    expect(feed(client, Buffer.from(broken))).toMatchObject({ complete: false, calls: [] })
    expect(client.gate.error?.reason).toBe('The model is overloaded.')
    expect(client.text()).not.toMatch(/overloaded|functionCall/)
  })
})

describe('several rounds', () => {
  test('read as one message with summed usage', () => {
    const whole = assemble(calls.toString())
    fc.assert(
      fc.property(chunkSizes, fc.subarray([0, 1, 2]), (sizes, allowed) => {
        const client = openGate('gemini')
        feed(client, calls, sizes)
        expect(client.gate.nextRound()).toEqual({ role: 'model', parts: whole.parts })
        const round = feed(client, calls, sizes)
        client.gate.release(new Set(allowed.map((at) => round.calls[at]?.id ?? '')))
        const answer = assemble(client.text())
        expect(madeCalls(answer.parts)).toHaveLength(allowed.length)
        expect(answer.finish).toBe('STOP')
        expect(answer.usage).toMatchObject({ promptTokenCount: 164, totalTokenCount: 286 })
        expect(round.usage).toEqual({ inputTokens: 82, outputTokens: 61, reasoningTokens: 31 })
        expect(client.gate.deliveredText).toBe('I look that up.\n\nI look that up.')
        expect(viewOf(answer.parts)).toBe(client.gate.deliveredText)
      }),
    )
  })

  test('end as they come when the last one has no calls', () => {
    const client = openGate('gemini')
    feed(client, calls)
    client.gate.nextRound()
    expect(feed(client, text)).toMatchObject({ complete: true, finish: 'stop' })
    expect(client.gate.isHolding).toBe(false)
    const answer = assemble(client.text())
    expect(answer).toMatchObject({ finish: 'STOP', usage: { promptTokenCount: 1518 } })
    expect(viewOf(answer.parts)).toBe('I look that up.\n\nGrüß Gott, "Welt" 🌤️!')
    expect(client.gate.deliveredText).toBe(viewOf(answer.parts))
  })

  test('end with an explanation when no call may run', () => {
    const client = openGate('gemini')
    feed(client, calls)
    client.gate.nextRound()
    feed(client, calls)
    client.write(client.gate.close('Refused by policy.'))
    const answer = assemble(client.text())
    expect(answer).toMatchObject({ finish: 'STOP', usage: { promptTokenCount: 164, candidatesTokenCount: 122, totalTokenCount: 286 } })
    expect(viewOf(answer.parts)).toBe('I look that up.\n\nI look that up.\n\nRefused by policy.')
    expect(client.gate.deliveredText).toBe(viewOf(answer.parts))
  })
})
