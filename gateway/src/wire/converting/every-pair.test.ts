/**
 * What every dialect can say means the same in each of them, whichever way it has come: requests, answers and streams, from
 * any dialect to any other, and by way of a third. Dialects that are added to the table are tested with the rest.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, type JsonObject } from '../../core/json.ts'
import type { DialectName } from '../dialect.ts'
import { type HubAnswer, settledReason } from '../hub/answer.ts'
import { argumentsObject } from '../hub/call-arguments.ts'
import type { HubMessage, HubPart, HubRequest } from '../hub/conversation.ts'
import type { HubEvent } from '../hub/events.ts'
import { converterFor, hubByName } from './converting.ts'
import { frames } from './stream-readers.fixture.ts'

const names = Object.keys(hubByName) as DialectName[]
const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => [from, to] as const))

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map((text) => `s${text}e`)
const image = fc
  .base64String({ minLength: 4, maxLength: 12 })
  .map((data): HubPart => ({ kind: 'media', media: 'image', source: { from: 'bytes', mediaType: 'image/png', data }, at: '' }))
const text = words.map((said): HubPart => ({ kind: 'text', text: said, at: '' }))
// A key that a vendor refuses, or that means something to JavaScript, is somebody else's test.
const value = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,6}$/),
  fc.oneof(words, fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.integer(), { maxLength: 2 })),
  { maxKeys: 3 },
)

interface MadeCall {
  readonly name: string
  readonly args: object
  readonly result: readonly HubPart[]
  readonly isError: boolean
}
const made: fc.Arbitrary<MadeCall> = fc.record({
  name: fc.constantFrom('look', 'write'),
  args: fc.oneof(fc.constant({}), value),
  result: fc.array(text, { minLength: 1, maxLength: 1 }),
  isError: fc.boolean(),
})
const round = fc.record({
  user: fc.array(fc.oneof(text, image), { minLength: 1, maxLength: 3 }),
  said: fc.option(text),
  calls: fc.array(made, { maxLength: 3 }),
  closing: words,
})

/** A conversation as people have it with an agent: question, calls and results, answer; and what is asked last. */
const request: fc.Arbitrary<HubRequest> = fc
  .record({
    system: fc.option(words),
    rounds: fc.array(round, { maxLength: 3 }),
    last: text,
    choice: fc.constantFrom('auto', 'required', undefined),
    maxTokens: fc.integer({ min: 16, max: 4000 }),
    // To one place behind the point, as people write it.
    temperature: fc.option(fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10)),
    stop: fc.uniqueArray(words, { maxLength: 3 }),
  })
  .map(({ system, rounds, last, choice, maxTokens, temperature, stop }) => {
    const messages: Omit<HubMessage, 'index' | 'at'>[] = system === null ? [] : [{ role: 'system', parts: [part(system)] }]
    let calls = 0
    for (const { user, said, calls: mades, closing } of rounds) {
      messages.push({ role: 'user', parts: user })
      if (mades.length > 0) {
        const ids = mades.map(() => `call_${(calls += 1)}`)
        const proposed = mades.map(({ name, args }, at): HubPart => ({
          kind: 'call',
          id: ids[at] ?? '',
          name,
          args: { value: args },
          at: '',
        }))
        messages.push({ role: 'assistant', parts: [...(said === null ? [] : [said]), ...proposed] })
        messages.push({
          role: 'user',
          parts: mades.map(({ result, isError }, at): HubPart => ({
            kind: 'result',
            callId: ids[at] ?? '',
            content: result,
            isError,
            at: '',
          })),
        })
      }
      messages.push({ role: 'assistant', parts: [part(closing)] })
    }
    messages.push({ role: 'user', parts: [last] })
    return {
      ...nothing,
      messages: messages.map((message, index) => ({ ...message, index, at: '' })),
      choice: choice === undefined ? undefined : { mode: choice },
      maxTokens,
      temperature: temperature ?? undefined,
      stop: { at: 'stop', sequences: stop },
    }
  })

const tool = (name: string): HubRequest['tools'][number] => ({
  kind: 'function',
  name,
  description: `Tool ${name}`,
  schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  strict: undefined,
  at: '',
})
const nothing: HubRequest = {
  model: 'some-model',
  messages: [],
  tools: [tool('look'), tool('write')],
  choice: undefined,
  parallelCalls: undefined,
  maxTokens: undefined,
  temperature: undefined,
  topP: undefined,
  topK: undefined,
  stop: { at: 'stop', sequences: [] },
  stream: undefined,
  wantsUsage: true,
  user: undefined,
  format: undefined,
  effort: { word: undefined, budget: undefined },
  demands: [],
  extras: {},
}

function part(said: string): HubPart {
  return { kind: 'text', text: said, at: '' }
}

/** What a request says, whatever its messages are cut into. */
function meaningOf(asked: HubRequest): unknown {
  const system: string[] = []
  const turns: { role: string; says: unknown[] }[] = []
  for (const { role, parts } of asked.messages) {
    if (role === 'system') {
      system.push(...parts.map((one) => (one.kind === 'text' ? one.text : one.kind)))
      continue
    }
    const says = parts.flatMap(meaningOfPart)
    const last = turns.at(-1)
    if (last?.role === role) last.says.push(...says)
    else if (says.length > 0) turns.push({ role, says })
  }
  const { choice, maxTokens, temperature, stop } = asked
  return {
    system: system.join('\n\n'),
    turns,
    tools: asked.tools.map((one) =>
      one.kind === 'function' ? [one.name, one.description, canonicalJson((one.schema ?? {}) as JsonObject)] : one.called,
    ),
    choice: choice?.mode ?? 'auto',
    maxTokens,
    temperature,
    stop: stop.sequences,
  }
}

function meaningOfPart(one: HubPart): unknown[] {
  switch (one.kind) {
    case 'text':
      return one.text === '' ? [] : [one.text]
    case 'media':
      return one.source.from === 'bytes' ? [{ image: one.source.mediaType, data: one.source.data }] : [one.source]
    case 'call':
      return [{ call: one.id, name: one.name, args: canonicalJson(argumentsObject(one.args)) }]
    case 'result':
      return [{ answers: one.callId, says: one.content.flatMap(meaningOfPart), isError: one.isError }]
    default:
      return [one]
  }
}

const options = { defaultMaxTokens: 4096 }
const written = (name: DialectName, asked: HubRequest): JsonObject => ({
  ...hubByName[name].writeRequest(asked, options),
  model: asked.model,
})

/** Without what one of these dialects cannot say, which is refused by name. */
function sayable(asked: HubRequest, ...spoken: readonly DialectName[]): HubRequest {
  return spoken.includes('responses') ? { ...asked, stop: nothing.stop } : asked
}

/** The body a client of `from` sends, as an upstream of `to` gets it. */
function sent(from: DialectName, to: DialectName, body: JsonObject): JsonObject {
  return { ...(converterFor(from, to)?.request(body, options) ?? body), model: String(body.model) }
}

describe.each(pairs)('%s on %s', (from, to) => {
  test('a request means the same', () => {
    fc.assert(
      fc.property(request, (any) => {
        const asked = sayable(any, from, to)
        const body = written(from, asked)
        expect(meaningOf(hubByName[from].readRequest(body))).toEqual(meaningOf(asked))
        expect(meaningOf(hubByName[to].readRequest(sent(from, to, body)))).toEqual(meaningOf(asked))
      }),
    )
  })

  test('a request that goes on to a third dialect ends in the same place as one that goes there at once', () => {
    fc.assert(
      fc.property(request, fc.constantFrom(...names), (any, third) => {
        const asked = sayable(any, from, to, third)
        const body = written(from, asked)
        const there = hubByName[third].readRequest(sent(to, third, sent(from, to, body)))
        expect(meaningOf(there)).toEqual(meaningOf(hubByName[third].readRequest(sent(from, third, body))))
      }),
    )
  })

  test('an answer means the same', () => {
    fc.assert(
      fc.property(answer, (given) => {
        const body = hubByName[to].writeAnswer(given, answerOptions)
        const told = converterFor(from, to)?.response(structuredClone(body), answerOptions) ?? body
        expect(meaningOfAnswer(hubByName[from].readAnswer(told, answerOptions))).toEqual(meaningOfAnswer(given))
      }),
    )
  })

  test('a stream means the same as the whole answer', () => {
    fc.assert(
      fc.property(answer, (given) => {
        const converter = converterFor(from, to)?.stream(answerOptions)
        const events = frames(streamOf(to, given))
        const told = events.map((event) => converter?.push(event) ?? '').join('') + (converter?.end() ?? '')
        expect(meaningOfAnswer(readStream(from, told))).toEqual(meaningOfAnswer(given))
      }),
    )
  })
})

const answerOptions = { model: 'some-model', created: 1_790_000_000 }

const answer: fc.Arbitrary<HubAnswer> = fc
  .record({
    said: fc.option(words),
    calls: fc.array(fc.record({ name: fc.constantFrom('look', 'write'), args: fc.oneof(fc.constant({}), value) }), { maxLength: 3 }),
    isCut: fc.boolean(),
    inputTokens: fc.nat(9999),
    outputTokens: fc.nat(9999),
  })
  .filter(({ said, calls }) => said !== null || calls.length > 0)
  .map(({ said, calls, isCut, inputTokens, outputTokens }) => ({
    id: 'answer_1',
    model: 'some-model',
    parts: [
      ...(said === null ? [] : [part(said)]),
      ...calls.map(({ name, args }, at): HubPart => ({ kind: 'call', id: `call_${at}`, name, args: { value: args }, at: '' })),
    ],
    finish: { reason: calls.length > 0 ? 'calls' : isCut ? 'length' : 'stop', word: undefined },
    usage: { inputTokens, outputTokens },
  }))

function meaningOfAnswer({ parts, finish, usage }: HubAnswer): unknown {
  return {
    says: parts.flatMap(meaningOfPart),
    // Some vendors end an answer with calls as they end any other.
    finish: settledReason(
      finish.reason,
      parts.some(({ kind }) => kind === 'call'),
    ),
    usage: { input: usage?.inputTokens, output: usage?.outputTokens },
  }
}

/** The answer as a vendor of the dialect streams it. */
function streamOf(name: DialectName, { id, model, parts, finish, usage }: HubAnswer): string {
  const writer = hubByName[name].writeStream(answerOptions)
  const say = (event: HubEvent): void => writer.write(event)
  say({ kind: 'start', id, model })
  for (const [at, one] of parts.entries()) {
    if (one.kind === 'text') {
      say({ kind: 'part-start', part: at, content: { kind: 'text' } })
      for (const piece of piecesOf(one.text)) say({ kind: 'part-text', part: at, text: piece })
    } else if (one.kind === 'call') {
      say({ kind: 'part-start', part: at, content: { kind: 'call', id: one.id, name: one.name } })
      for (const piece of piecesOf(JSON.stringify(argumentsObject(one.args)))) say({ kind: 'part-text', part: at, text: piece })
    }
    say({ kind: 'part-end', part: at, seal: undefined })
  }
  say({ kind: 'end', finish, usage })
  return writer.take()
}

function piecesOf(whole: string): string[] {
  const middle = Math.floor(whole.length / 2)
  return [whole.slice(0, middle), whole.slice(middle)].filter((piece) => piece !== '')
}

// Some clients take messages of one id for one message. Two dialects can leave the id out.
test.each(names.filter((name) => name !== 'converse' && name !== 'gemini'))(
  '%s: answers of an upstream that gives them no id have ids of their own',
  (name) => {
    const given: HubAnswer = {
      id: undefined,
      model: 'm',
      parts: [part('hi')],
      finish: { reason: 'stop', word: undefined },
      usage: undefined,
    }
    const idOf = (): unknown => {
      const { id, responseId } = hubByName[name].writeAnswer(given, answerOptions)
      return id ?? responseId
    }
    const streamed = (): string | undefined => /"(?:id|responseId)": ?"([^"]+)"/.exec(streamOf(name, given))?.[1]
    expect(new Set([idOf(), idOf(), streamed(), streamed()]).size).toBe(4)
  },
)

/** What the events of a stream add up to. */
function readStream(name: DialectName, told: string): HubAnswer {
  const parts = new Map<number, { kind: string; id: string; name: string; text: string }>()
  let end: { readonly finish: HubAnswer['finish']; readonly usage: HubAnswer['usage'] } | undefined
  const reader = hubByName[name].readStream((event) => {
    if (event.kind === 'error') throw new Error(event.error.message)
    if (event.kind === 'end') end = event
    if (event.kind === 'part-text') (parts.get(event.part) ?? { text: '' }).text += event.text
    if (event.kind === 'part-start') {
      const { kind } = event.content
      parts.set(event.part, { id: '', name: '', ...event.content, kind, text: '' })
    }
  }, answerOptions)
  for (const event of frames(told)) reader.read(event)
  reader.end()
  if (end === undefined) throw new Error('the stream has no end')
  const all = [...parts.values()].map(({ kind, id, name: called, text: said }): HubPart =>
    kind === 'call' ? { kind, id, name: called, args: { text: said }, at: '' } : part(said),
  )
  return { id: 'answer_1', model: 'some-model', parts: all, ...end }
}
