/** Lists of tools that come again with every request: read once, and never taken for what they are not. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { allGuardedFields } from '../dialects.ts'
import { chatCompletions } from '../dialects/chat-completions/chat-completions.ts'
import { converterFor } from '../converting/converting.ts'
import { parseGuardedJson, parseGuardedText } from './json-guard.ts'
import { KnownTools } from './known-tools.ts'
import { messages as messagesDialect } from '../dialects/messages/messages.ts'
import { RequestReader } from './request-reader.ts'

const limits = { maxDepth: 8, maxKeys: 60, guardedFields: allGuardedFields }

function tool(name: string, more = ''): string {
  return `{"type":"function","function":{"name":"${name}","description":"Ünïcode 漢 \\"${name}\\" ]}","parameters":{"type":"object"${more}}}}`
}

/** Texts of the field `tools`: right ones, and some that nobody may accept. */
const lists = [
  `[${tool('a')}]`,
  `[${tool('a')},${tool('b')}]`,
  `[ ${tool('a')} ,\n${tool('b', ',"x":{"y":[{"z":1}]}')}]`,
  `[${tool('a', ',"\\u0078":1,"\\\\u":2')}]`,
  `[${tool('a', ',"x":1,"x":2')}]`,
  `[${tool('a', ',"x":[[[[[[[[1]]]]]]]]')}]`,
  `[${tool('a', `,${Array.from({ length: 40 }, (_, index) => `"k${index}":1`).join(',')}`)}]`,
  '[]',
  '[{"type":"function","function":{"name":""}}]',
  '[{"type":"web_search"}]',
  `[${tool('a')}`,
  'null',
  '{"tools":[]}',
]

/** What stands around the list: most are right, some only look alike. */
const frames: readonly ((list: string, n: number) => string)[] = [
  (list, n) => `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"${n}"}],"tools":${list}}`,
  (list, n) => `{"model":"m","max_tokens":1,"tools":${list},"messages":[{"role":"user","content":"${n}"}]}`,
  (list, n) => `{"model":"m","max_tokens":1,"tools": ${list} ,"stream":true,"messages":[{"role":"user","content":"${n} \\"tools\\":["}]}`,
  (list, n) => `{"model":"m","max_tokens":1,"tools":${list},"messages":[{"role":"user","content":"${n}"}],"tools":${list}}`,
  (list, n) => `{"model":"m","max_tokens":1,"tools":${list},"messages":[{"role":"user","content":"${n}"}],"Tools":[]}`,
  (list, n) => `{"model":"m","max_tokens":1,"tools":-${list},"messages":[{"role":"user","content":"${n}"}]}`,
  (list, n) => `{"model":"m","max_tokens":1,"tools":1${list},"messages":[{"role":"user","content":"${n}"}]}`,
  (list, n) => `{"model":"m","max_tokens":1,"tools":${list}5,"messages":[{"role":"user","content":"${n}"}]}`,
  (list, n) => `{"model":"m","max_tokens":1,"tools"${list},"messages":[{"role":"user","content":"${n}"}]}`,
  (list, n) => `{"model":"m","max_tokens":1,"tools":"x"${list},"messages":[{"role":"user","content":"${n}"}]}`,
  (list, n) => `{"model":"m","max_tokens":1,"metadata":{"tools":${list}},"messages":[{"role":"user","content":"${n}"}]}`,
  (list, n) => `{"model":"m","max_tokens":1,"\\u0074ools":${list},"messages":[{"role":"user","content":"${n}"}]}`,
  (list, n) => `[{"tools":${list}},{"messages":"${n}"}]`,
]

function outcomeOf(read: () => { readonly json: JsonObject; readonly view: unknown }): object {
  try {
    const { json, view } = read()
    return { text: JSON.stringify(json), view }
  } catch (error) {
    if (error instanceof TurnwardError) return { code: error.code, subject: error.subject, why: error.why }
    throw error
  }
}

describe.each([chatCompletions, messagesDialect])('the reader of $name requests', (dialect) => {
  const afresh = (text: string): object =>
    outcomeOf(() => {
      const json = parseGuardedJson(Buffer.from(text), limits)
      return { json, view: dialect.readRequest(json) }
    })

  const read = (reader: RequestReader, text: string, owner = 'alice', allowed = limits): object =>
    outcomeOf(() => {
      const { body, view } = reader.read(owner, dialect, Buffer.from(text), allowed)
      return { json: body.json, view }
    })

  test('reads every list as somebody does who has never seen one before', () => {
    const request = fc.tuple(fc.constantFrom(...frames), fc.constantFrom(...lists), fc.boolean())
    fc.assert(
      fc.property(fc.array(request, { minLength: 4, maxLength: 40 }), (requests) => {
        const reader = new RequestReader(systemClock)
        for (const [n, [frame, list, isLong]] of requests.entries()) {
          const text = frame(list, n) + (isLong ? ' '.repeat(9000) : '')
          expect(read(reader, text)).toEqual(afresh(text))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('takes every list for itself, known or not, whatever stands around it', () => {
    const reader = new RequestReader(systemClock)
    for (let round = 0; round < 3; round += 1) {
      for (const list of lists) {
        const plain = frames[0]?.(list, round) ?? ''
        for (const text of [plain, plain, ...frames.map((frame) => frame(list, round))]) expect(read(reader, text)).toEqual(afresh(text))
      }
    }
  })

  test('never takes a list for another that differs in one byte, wherever it is', () => {
    const frame = frames[0] as (list: string, n: number) => string
    const list = lists[1] ?? ''
    const reader = new RequestReader(systemClock)
    for (let round = 0; round < 3; round += 1) read(reader, frame(list, round))
    for (let at = 0; at < list.length; at += 1) {
      const text = frame(`${list.slice(0, at)}${list[at] === 'q' ? 'r' : 'q'}${list.slice(at + 1)}`, 4)
      expect(read(reader, text)).toEqual(afresh(text))
    }
  })

  test('counts the keys of a list it knows, and asks again when it may be less deep', () => {
    const text = frames[0]?.(lists[2] ?? '', 1) ?? ''
    const reader = new RequestReader(systemClock)
    for (let round = 0; round < 3; round += 1) expect(read(reader, text)).toHaveProperty('view')
    expect(read(reader, text, 'alice', { ...limits, maxKeys: 12 })).toMatchObject({ code: 'request.too_deep' })
    expect(read(reader, text, 'alice', { ...limits, maxDepth: 4 })).toMatchObject({ code: 'request.too_deep' })
  })

  const toolsOf = (reader: RequestReader, owner: string): unknown =>
    reader.read(owner, dialect, Buffer.from(frames[0]?.(lists[1] ?? '', 1) ?? ''), limits).body.fields.tools

  test('parses a list that comes again once for each owner, and nobody can change it', () => {
    const reader = new RequestReader(systemClock)
    toolsOf(reader, 'alice')
    const known = toolsOf(reader, 'alice') as JsonObject[]
    expect(toolsOf(reader, 'alice')).toBe(known)
    toolsOf(reader, 'bob')
    const other = toolsOf(reader, 'bob')
    expect(other).toEqual(known)
    expect(other).not.toBe(known)
    expect(() => void ((known[0] as { function: { parameters: JsonObject } }).function.parameters.type = 'x')).toThrow(TypeError)
    expect(() => known.pop()).toThrow(TypeError)
  })

  const bytes = Buffer.from(
    frames[0]?.(
      `[${['a', 'b'].map((name) => (dialect === chatCompletions ? tool(name) : `{"name":"${name}","input_schema":{}}`)).join(',')}]`,
      1,
    ) ?? '',
  )

  test('converts a list it knows like any other', () => {
    const reader = new RequestReader(systemClock)
    const converter = converterFor(dialect.name, dialect === chatCompletions ? 'messages' : 'chat-completions')
    const converted = (): unknown => converter?.request(reader.read('alice', dialect, bytes, limits).body.json)
    const first = JSON.stringify(converted())
    expect(first).toContain('"tools":[{')
    expect([1, 2, 3].map(() => JSON.stringify(converted()))).toEqual([first, first, first])
  })

  test('gives a request whose tools are taken out a list of its own', () => {
    const reader = new RequestReader(systemClock)
    const again = (): { readonly fields: JsonObject } => reader.read('alice', dialect, bytes, limits).body
    again()
    const known = again().fields.tools
    const body = again().fields
    dialect.edit.removeTools(body, new Set(['a']))
    expect(body.tools).toHaveLength(1)
    expect(again().fields.tools).toBe(known)
    expect(known).toHaveLength(2)
  })
})

describe('what is kept', () => {
  /** One request with a list of about `length` characters; true when the list was known. */
  function isKnown(known: KnownTools, owner: string, length: number, fill = 'x'): boolean {
    const text = `{"tools":[{"name":"${fill.repeat(length)}"}]}`
    const place = known.placeFor(owner, limits.maxDepth)
    const { tools } = parseGuardedText(text, limits, undefined, place)
    const was = place.value !== undefined
    known.learn(owner, place, tools)
    return was
  }

  test('is a list that came twice', () => {
    const known = new KnownTools()
    expect([1, 2, 3].map(() => isKnown(known, 'alice', 100))).toEqual([false, false, true])
  })

  test('never grows beyond its capacity: the owners that were not heard of for longest are forgotten', () => {
    const known = new KnownTools(20_000)
    for (const owner of ['alice', 'bob']) for (let round = 0; round < 3; round += 1) isKnown(known, owner, 4000)
    for (let index = 0; index < 4; index += 1) {
      expect(isKnown(known, 'bob', 4000)).toBe(true)
      isKnown(known, `stranger ${index}`, 4000)
    }
    expect(isKnown(known, 'alice', 4000)).toBe(false)
  })

  test('is a few lists of each owner', () => {
    const known = new KnownTools()
    for (const fill of 'abcde') for (let round = 0; round < 2; round += 1) isKnown(known, 'alice', 100, fill)
    expect(['e', 'd', 'c', 'b'].map((fill) => isKnown(known, 'alice', 100, fill))).toEqual([true, true, true, true])
    expect(isKnown(known, 'alice', 100, 'a')).toBe(false)
  })

  test('is no list of enormous size', () => {
    const known = new KnownTools()
    expect([1, 2, 3].map(() => isKnown(known, 'alice', 300_000))).toEqual([false, false, false])
  })
})
