/**
 * Recorded vendor bytes in every framing the format allows (WHATWG HTML, section 9.2): any line ends, comments, cuts anywhere, events of
 * megabytes, a last event without its blank line. Same dialect: the same bytes. Another dialect: the same meaning.
 * Requests and plain cuts are in `model-calls/byte-fidelity.test.ts`.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import type { Json } from '../harness/json.ts'
import { post, type RawAnswer } from '../harness/raw-http.ts'

const fixture = (path: string): string => readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8')

const recordings = [
  { vendor: 'openai', name: 'openai/stream.sse' },
  { vendor: 'openai', name: 'openai/stream-azure.sse' },
  { vendor: 'anthropic', name: 'anthropic/stream.sse' },
] as const

type Wire = (typeof recordings)[number]['vendor']

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startGoverned()
})
afterAll(() => governed?.close())

const models: Readonly<Record<Wire, string>> = { openai: 'gpt-test', anthropic: 'claude-test' }
const paths: Readonly<Record<Wire, string>> = { openai: '/v1/chat/completions', anthropic: '/v1/messages' }

/** The answer a client of one dialect gets when the vendor of another sends these parts. */
async function through(client: Wire, vendor: Wire, parts: readonly Buffer[]): Promise<RawAnswer> {
  governed.respond(() => ({ headers: { 'content-type': 'text/event-stream' }, parts }))
  const body = {
    model: models[vendor],
    max_tokens: 9,
    stream: true,
    messages: [{ role: 'user', content: 'hi' }],
    ...(client === 'openai' ? { stream_options: { include_usage: true } } : {}),
  }
  return await post(`${governed.url}${paths[client]}`, secrets.alice, body)
}

/** These bytes, cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...[...new Set(places.map((place) => place % bytes.length))].toSorted((a, b) => a - b), bytes.length]
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end))
}

const cuts = fc.array(fc.nat(), { maxLength: 30 })
const comments = fc.array(
  fc.record({ after: fc.nat(), text: fc.constantFrom(':', ': ping', ':{"data":1}', ': data: [DONE]', ': Grüße 🌤️') }),
  { maxLength: 6 },
)
const lineEnds = fc.constantFrom('\n', '\r\n', '\r')

/**
 * The recording with other line ends, comments inside of events, comments in blocks of their own, and perhaps a byte order mark. A comment of
 * its own that comes while a call is held goes on at once and so passes the call; it is put in before the first call only.
 */
function reframed(text: string, end: string, extra: readonly { readonly after: number; readonly text: string }[], mark: boolean): Buffer {
  const events = text.replaceAll('\r\n', '\n').trimEnd().split('\n\n')
  const firstCall = events.findIndex((event) => /"tool_calls":|"tool_use"/.test(event))
  const blocks = events.map((event, index) =>
    extra
      .filter(({ after }) => after % events.length === index)
      .reduce(
        (lines, { text: comment }, at) => (index <= firstCall && at % 2 === 1 ? `${comment}\n\n${lines}` : `${comment}\n${lines}`),
        event,
      ),
  )
  return Buffer.from((mark ? '\uFEFF' : '') + `${blocks.join('\n\n')}\n\n`.replaceAll('\n', end))
}

describe.each(recordings)('$name', ({ vendor, name }) => {
  const text = fixture(name)
  const other: Wire = vendor === 'openai' ? 'anthropic' : 'openai'

  test('any line ends, comments and cuts pass byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(lineEnds, comments, fc.boolean(), cuts, async (end, extra, mark, places) => {
        const bytes = reframed(text, end, extra, mark)
        const answer = await through(vendor, vendor, cut(bytes, places))
        expect(answer.text).toBe(bytes.toString('utf8'))
        expect(answer.bytes.equals(bytes)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('they mean the same to a client of the other dialect', async () => {
    const expected = meaning(other, (await through(other, vendor, [Buffer.from(text)])).text)
    expect(expected.text).not.toBe('')
    await fc.assert(
      fc.asyncProperty(lineEnds, comments, fc.boolean(), cuts, async (end, extra, mark, places) => {
        const answer = await through(other, vendor, cut(reframed(text, end, extra, mark), places))
        expect(meaning(other, answer.text)).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  })

  test('every character of several bytes may be cut anywhere', async () => {
    const bytes = Buffer.from(text)
    const inside = [...bytes.entries()].filter(([, byte]) => (byte & 0xc0) === 0x80).map(([index]) => index)
    expect(inside.length).toBeGreaterThan(3)
    expect((await through(vendor, vendor, cut(bytes, inside))).bytes.equals(bytes)).toBe(true)
    const whole = meaning(other, (await through(other, vendor, [bytes])).text)
    expect(meaning(other, (await through(other, vendor, cut(bytes, inside))).text)).toEqual(whole)
  })

  test.each(['\n', '\r\n', '\n\n'])('a stream that ends without its last %j is whole', async (missing) => {
    const lines = text.replaceAll('\r\n', '\n').trimEnd()
    const bytes = Buffer.from(`${lines}\n\n`.slice(0, -missing.replaceAll('\r', '').length))
    const answer = await through(vendor, vendor, [bytes])
    // A blank line may be added: something could follow. Nothing else may.
    expect(answer.text.trimEnd()).toBe(lines)
    expect(meaning(other, (await through(other, vendor, [bytes])).text)).toEqual(
      meaning(other, (await through(other, vendor, [Buffer.from(text)])).text),
    )
  })

  test.each([64 * 1024, 1024 * 1024, 7 * 1024 * 1024])('an event of %d bytes passes as it is, in pieces of any size', async (size) => {
    const events = text.replaceAll('\r\n', '\n').trimEnd().split('\n\n')
    const at = events.findIndex((event) => event.includes('Grüße'))
    expect(at).toBeGreaterThan(0)
    events[at] = String(events[at]).replace('Grüße', `Grüße${'ü'.repeat(size / 2 - 300)}`)
    const bytes = Buffer.from(`${events.join('\n\n')}\n\n`)
    const parts = cut(bytes, [1000, 1001, bytes.length / 2, bytes.length / 2 + 1, bytes.length - 700].map(Math.floor))
    expect((await through(vendor, vendor, parts)).bytes.equals(bytes)).toBe(true)
    expect(meaning(other, (await through(other, vendor, parts)).text).text.length).toBeGreaterThan(size / 2 - 300)
  })
})

test.each(recordings.filter(({ name }) => !name.includes('azure')))(
  'an answer whose connection breaks after its end is whole: $name',
  async ({ vendor, name }) => {
    // Without calls: nothing of it is held, so all of it is with the client when the connection breaks.
    const events = fixture(name)
      .trimEnd()
      .split('\n\n')
      .filter((event) => !/tool_calls|tool_use|input_json|"index":[23]/.test(event) || event.includes('message_delta'))
    const bytes = Buffer.from(`${events.join('\n\n')}\n\n`.replace('"finish_reason":"tool_calls"', '"finish_reason":"stop"'))
    for (const ends of ['properly', 'reset'] as const) {
      governed.respond(() => ({ headers: { 'content-type': 'text/event-stream' }, parts: [bytes], ends }))
      const answer = await post(`${governed.url}${paths[vendor]}`, secrets.alice, {
        model: models[vendor],
        max_tokens: 9,
        stream: true,
        messages: [{ role: 'user', content: 'hi' }],
        ...(vendor === 'openai' ? { stream_options: { include_usage: true } } : {}),
      })
      expect(answer.text, ends).toBe(bytes.toString('utf8'))
    }
  },
)

interface Meaning {
  readonly text: string
  readonly calls: readonly string[]
  readonly isWhole: boolean
}

/** What a client of this dialect makes of a stream. */
function meaning(client: Wire, stream: string): Meaning {
  const payloads = [...stream.matchAll(/^data: (\{.*)$/gm)].map((match) => JSON.parse(match[1] ?? '{}') as Json)
  const deltas: Json[] = client === 'openai' ? payloads.map((payload) => payload['choices']?.[0]?.delta ?? {}) : payloads
  const texts = deltas.map((delta) =>
    client === 'openai' ? (delta['content'] ?? '') : delta['delta']?.type === 'text_delta' ? delta['delta'].text : '',
  )
  const calls = deltas.flatMap((delta) => {
    if (client === 'openai')
      return ((delta['tool_calls'] ?? []) as Json[]).map(
        (call) => `${call['index']} ${call['function']?.name ?? ''} ${call['function']?.arguments ?? ''}`,
      )
    if (delta['type'] === 'content_block_start' && delta['content_block']?.type === 'tool_use') return [String(delta['content_block'].name)]
    return delta['delta']?.type === 'input_json_delta' ? [String(delta['delta'].partial_json)] : []
  })
  return {
    text: texts.join(''),
    calls,
    isWhole: client === 'openai' ? stream.includes('data: [DONE]') : stream.includes('event: message_stop'),
  }
}
