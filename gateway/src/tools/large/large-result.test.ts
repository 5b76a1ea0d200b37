/** A large result is the same to everybody, wherever it was read. */
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { parseExactJson } from '../../core/exact-json.ts'
import { digestJson } from '../../core/hash.ts'
import { canonicalJson, isObject, type JsonObject } from '../../core/json.ts'
import { finalResult, shapedResult } from '../connectors/result-shape.ts'
import { digestOfResult, largeBody, resultMessage, textOfOutgoing, withSmallFields } from './large-result.ts'
import { LargeMessages } from './large-messages.ts'
import { readLarge } from './reading-large.ts'

const messages = new LargeMessages()
afterAll(() => messages.close())

const message = (result: string, id = 1): string => `{"jsonrpc":"2.0","id":${id},"result":${result}}`

async function read(text: string): Promise<JsonObject> {
  const response = await messages.read('s', Buffer.from(text), { id: 1, of: 'tool' })
  if (response.kind !== 'result') throw new Error('no result')
  return response.result
}

/** As a small one is read. */
function plain(text: string): JsonObject {
  const value = parseExactJson(text)
  if (!isObject(value) || !isObject(value.result)) throw new Error('no result')
  return finalResult(shapedResult(value.result))
}

const known = fc.record(
  {
    content: fc.oneof(fc.array(fc.record({ type: fc.constant('text'), text: fc.string() })), fc.jsonValue()),
    structuredContent: fc.jsonValue(),
    isError: fc.oneof(fc.boolean(), fc.constant(null), fc.string()),
    _meta: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.constant(null)),
    resultType: fc.constantFrom('complete', null),
    'x-unknown': fc.jsonValue(),
  },
  { requiredKeys: [] },
)

describe('a large result', () => {
  test('is what it would be if it were small: its fields, its digest, the message that goes out', async () => {
    await fc.assert(
      fc.asyncProperty(known, async (result) => {
        const text = message(JSON.stringify(result))
        const [large, small] = [await read(text), plain(text)]
        expect(digestOfResult(large)).toBe(digestJson(small))
        const out = parseExactJson(textOfOutgoing(resultMessage(7, large)))
        expect(canonicalJson(out)).toBe(canonicalJson({ jsonrpc: '2.0', id: 7, result: small }))
        expect(canonicalJson({ ...large })).toBe(canonicalJson(small))
      }),
      { numRuns: 100 },
    )
  })

  test('keeps numbers that no double holds', async () => {
    const large = await read(message('{"content":[],"structuredContent":{"n":9007199254740993},"_meta":{"m":1e400}}'))
    expect(textOfOutgoing(resultMessage(1, large))).toContain('"n":9007199254740993')
    expect(textOfOutgoing(resultMessage(1, large))).toContain('"m":1e400')
    expect(canonicalJson({ ...large })).toContain('"n":9007199254740993')
  })

  test('stays large when its small fields change, and is an ordinary object to who does not know it', async () => {
    const large = await read(message('{"content":[{"type":"text","text":"words"}],"isError":true}'))
    const changed = withSmallFields(large, (small) => ({ ...small, more: 1 }))
    expect(largeBody(changed)?.texts).toEqual(['text', 'words'])
    expect(JSON.parse(textOfOutgoing(resultMessage('a', changed)))).toEqual({
      jsonrpc: '2.0',
      id: 'a',
      result: { isError: true, more: 1, content: [{ type: 'text', text: 'words' }] },
    })
    expect({ ...changed }).toEqual({ isError: true, more: 1, content: [{ type: 'text', text: 'words' }] })
  })

  test('has the texts that words are looked for in, as far as anybody looks', () => {
    const reading = readLarge(message(JSON.stringify({ content: 'a'.repeat(2_000_000), more: 'b', _meta: { x: 'c' } })), {
      id: 1,
      of: 'other',
    })
    expect('texts' in reading && reading.texts.map(({ length }) => length)).toEqual([1_500_000])
    const short = readLarge(message('{"a":["b",{"c":"d"}],"_meta":{"x":"c"}}'), { id: 1, of: 'other' })
    expect('texts' in short && short.texts).toEqual(['b', 'd'])
  })

  test.each([
    ['is not JSON', '{"jsonrpc":"2.0","id":1,', 'its answer is not JSON'],
    ['answers somebody else', message('{}', 2), 'its answer is malformed'],
    ['is an error', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}', 'it answered with an error that is too large'],
    ['begins a task', message('{"resultType":"task"}'), 'begins a task'],
    ['is nested without end', message(`{"content":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), 'too large or too deep'],
    ['says too much of itself', message(`{"_meta":{"x":"${'x'.repeat(300_000)}"}}`), 'what its answer says of itself'],
  ])('that %s makes the call fail', async (_what, text, why) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'mcp.server_unavailable', why: expect.stringContaining(why) })
  })

  test('may have small fields only', async () => {
    const response = await messages.read('s', Buffer.from(message('{"_meta":{"a":1}}')), { id: 1, of: 'other' })
    const out = response.kind === 'result' ? textOfOutgoing(resultMessage(1, response.result)) : ''
    expect(JSON.parse(out)).toEqual({ jsonrpc: '2.0', id: 1, result: { _meta: { a: 1 } } })
  })

  test('of a batch is found', async () => {
    expect({ ...(await read(`[${message('{"a":1}', 2)},${message('{"content":[]}', 1)}]`)) }).toEqual({ content: [] })
  })
})

describe('reading large results', () => {
  test('servers take turns, however much one of them has to be read', async () => {
    const ended: string[] = []
    const one = message(JSON.stringify({ content: [{ type: 'text', text: 'x'.repeat(2_000_000) }] }))
    const reads = [...Array.from({ length: 12 }, () => 'many'), 'one'].map((server) =>
      messages.read(server, one, { id: 1, of: 'tool' }).then(() => ended.push(server)),
    )
    await Promise.all(reads)
    expect(ended.indexOf('one')).toBeLessThan(6)
  })

  test('how much may wait is bounded, and free again afterwards', async () => {
    const some = 'x'.repeat(100 * 1024 * 1024)
    const reads = Array.from({ length: 3 }, () => messages.read('s', some, { id: 1, of: 'tool' }))
    expect((await Promise.allSettled(reads)).map((one) => one.status === 'rejected' && one.reason.code)).toEqual([
      'mcp.server_unavailable',
      'mcp.server_unavailable',
      'mcp.server_busy',
    ])
    await expect(reads[2]).rejects.toMatchObject({
      why: expect.stringContaining('it has answered'),
      fix: expect.stringContaining('what the request has done'),
    })
    await expect(messages.read('s', some, { id: 1, of: 'tool' })).rejects.toMatchObject({ code: 'mcp.server_unavailable' })
  })

  test('what waits when the gateway ends is told so', async () => {
    const own = new LargeMessages()
    const reads = Array.from({ length: 6 }, () => own.read('s', message('{}'), { id: 1, of: 'tool' }))
    const ends = Promise.allSettled(reads)
    await own.close()
    expect((await ends).at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'mcp.server_unavailable' } })
  })
})
