/**
 * Every field of an answer with a refused call, whole or event by event, damaged in every way that leaves JSON: what the gate cannot read for
 * certain it does not show. Whoever reads an event more kindly than the gate would run a call that nobody has allowed.
 */
import { expect, test } from 'vitest'
import { message, messageEvents } from '../../../../conformance/harness/anthropic-wire.ts'
import { converseEvents, converseMessage } from '../../../../conformance/harness/converse-wire.ts'
import { geminiAnswer, geminiEvents } from '../../../../conformance/harness/gemini-wire.ts'
import type { ModelAnswer } from '../../../../conformance/harness/model-answer.ts'
import { chatCompletion, chatCompletionEvents } from '../../../../conformance/harness/openai-wire.ts'
import { response, responseEvents } from '../../../../conformance/harness/responses-wire.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { DialectName, ToolCallView } from '../dialect.ts'
import { dialectByName } from '../dialects.ts'
import { damagesOf } from './damaging.fixture.ts'
import { openGate } from './open-gate.fixture.ts'

const allowedCall = { id: 'call_allowed', name: 'get_time', args: {} }
const refusedCall = { id: 'call_refused', name: 'read_notes', args: { topic: 'REFUSED WORDS' } }
const orders: readonly ModelAnswer[] = [
  { text: 'So.', calls: [allowedCall, refusedCall] },
  { text: 'So.', calls: [refusedCall, allowedCall] },
  { calls: [refusedCall] },
]
/** Any piece of the arguments of the refused call, as long as pieces are. */
const refused = /REFU|SED WOR|DS"/

const streams: Readonly<Record<DialectName, (answer: ModelAnswer) => readonly string[]>> = {
  'chat-completions': (answer) => chatCompletionEvents(answer, 'm', true),
  messages: (answer) => messageEvents(answer, 'm'),
  responses: (answer) => responseEvents(answer, 'm'),
  gemini: (answer) => geminiEvents(answer, 'm'),
  converse: (answer) => converseEvents(answer).map(([type, payload]) => `event: ${type}\ndata: ${JSON.stringify(payload)}\n\n`),
}

const bodies: Readonly<Record<DialectName, (answer: ModelAnswer) => string>> = {
  'chat-completions': (answer) => chatCompletion(answer, 'm'),
  messages: (answer) => message(answer, 'm'),
  responses: (answer) => response(answer, 'm'),
  gemini: (answer) => geminiAnswer(answer, 'm'),
  converse: converseMessage,
}

/** What a client gets of a stream whose calls are decided on what the gate has read of them. */
function shown(dialect: DialectName, stream: readonly string[]): string {
  const client = openGate(dialect)
  try {
    client.gate.push(Buffer.from(stream.join('')))
    const { calls, complete } = client.gate.endRound(true)
    if (complete && client.gate.error === undefined) client.gate.release(new Set(calls.filter(isAllowed).map(({ id }) => id)))
  } catch (error) {
    if (!(error instanceof TurnwardError)) throw error
  }
  return client.text()
}

/** A kind of block or item newer than this code is the vendor's own: it passes as it is. */
const newerKind = /(?:content_block|content\.\d|item|output\.\d)\.type is something newer$/

function isAllowed({ name, args }: ToolCallView): boolean {
  return name === 'get_time' && args?.topic === undefined
}

const cases = (Object.keys(streams) as DialectName[]).flatMap((dialect) => orders.map((answer, order) => ({ dialect, answer, order })))

test.each(cases)('a stream of $dialect, calls in order $order', ({ dialect, answer }) => {
  const events = streams[dialect](answer)
  expect(shown(dialect, events)).not.toMatch(refused)
  const leaks: string[] = []
  for (const [at, event] of events.entries()) {
    const data = /^data: (.*?)\r?$/m.exec(event)?.[1] ?? ''
    if (!data.startsWith('{')) continue
    const payload: unknown = JSON.parse(data)
    for (const { what, value } of damagesOf(payload)) {
      if (newerKind.test(what)) continue
      const changed = event.replace(data, () => JSON.stringify(value))
      if (refused.test(shown(dialect, events.toSpliced(at, 1, changed)))) leaks.push(`event ${at}: ${what}`)
    }
  }
  expect(leaks.join('\n')).toBe('')
})

/** What a client gets of a whole answer. */
function shownWhole(dialect: DialectName, body: JsonObject): string {
  const { readResponse, respond } = dialectByName[dialect]
  try {
    respond.normalise(body)
    const { calls, cutCalls } = readResponse(body)
    const dropped = new Set([...calls.filter((call) => !isAllowed(call)).map(({ id }) => id), ...cutCalls])
    if (dropped.size > 0) respond.dropCalls(body, dropped)
    return JSON.stringify(body)
  } catch (error) {
    if (!(error instanceof TurnwardError)) throw error
    return ''
  }
}

/** The same, where arguments are in one piece: an id that was made up may end in any two letters. */
const refusedWhole = /REFU|SED WOR|WORDS"/

test.each(cases)('a whole answer of $dialect, calls in order $order', ({ dialect, answer }) => {
  const body = JSON.parse(bodies[dialect](answer)) as JsonObject
  expect(shownWhole(dialect, structuredClone(body))).not.toMatch(refusedWhole)
  const leaks = [...damagesOf(body)].filter(
    ({ what, value }) => !newerKind.test(what) && refusedWhole.test(shownWhole(dialect, structuredClone(value) as JsonObject)),
  )
  expect(leaks.map(({ what }) => what).join('\n')).toBe('')
})
