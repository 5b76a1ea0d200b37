import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chunkSizes, cut, eventsOf, fixture } from '../../gate/open-gate.fixture.ts'
import { jsonList } from './json-list.ts'

const recoded = (recoder: ReturnType<typeof jsonList.encoder>, bytes: Buffer, sizes: readonly number[]): string =>
  Buffer.concat([...cut(bytes, sizes).map((chunk) => recoder.push(chunk)), recoder.end()]).toString()

describe('a stream as a list', () => {
  test('has an element for each event, whatever the chunks, and is read back as the same events', () => {
    fc.assert(
      fc.property(
        chunkSizes,
        fc.constantFrom('gemini-text.sse', 'gemini-parallel-calls.sse', 'gemini-search.sse'),
        fc.boolean(),
        (sizes, name, spaced) => {
          const events = eventsOf(fixture(name).toString())
          const list = recoded(jsonList.encoder(), fixture(name), sizes)
          expect(JSON.parse(list)).toEqual(events)
          const asSent = spaced ? JSON.stringify(events, undefined, 2).replaceAll('\n', '\r\n') : list
          expect(eventsOf(recoded(jsonList.decoder(1 << 20), Buffer.from(asSent), sizes))).toEqual(events)
        },
      ),
    )
  })

  test('comes event by event, without what is no event', () => {
    const encoder = jsonList.encoder()
    const said = [': keep-alive\n\n', 'data: {"a":1}\n\n', 'data: {"b"', ':2}\n\n', 'data: [DONE]\n\n'].map((text) =>
      encoder.push(Buffer.from(text)).toString(),
    )
    expect(said).toEqual(['', '[{"a":1}', '', ',\n{"b":2}', ''])
    expect(encoder.end().toString()).toBe('\n]')
  })

  test('of nothing is an empty one', () => {
    expect(jsonList.encoder().end().toString()).toBe('[]')
  })

  test('may hold braces and quotes in its words', () => {
    const list = Buffer.from(JSON.stringify([{ text: 'a } ] \\" , { [ "' }, { text: '\u2028' }]))
    for (const size of [1, 2, 3, 1000]) expect(eventsOf(recoded(jsonList.decoder(1000), list, [size]))).toEqual(JSON.parse(list.toString()))
  })

  test.each(['<html>', '"text"', '[1]', '{"error":{}}', '[{}] x'])('that is none is malformed, or says nothing: %s', (text) => {
    const read = (): string => recoded(jsonList.decoder(1000), Buffer.from(text), [1])
    try {
      expect(eventsOf(read()).length).toBeLessThanOrEqual(1)
    } catch (error) {
      expect(error).toMatchObject({ code: 'upstream.malformed' })
    }
  })

  test('has elements of a bounded size', () => {
    expect(() => recoded(jsonList.decoder(100), Buffer.from(`[{"a":"${'x'.repeat(200)}"}]`), [7])).toThrow(
      expect.objectContaining({ code: 'upstream.malformed' }),
    )
  })
})
