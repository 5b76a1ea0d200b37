/** An answer as the events of each dialect, in a form in which a kind of fault can change them, and as the bytes of them. */
import { message, messageEvents } from '../../harness/anthropic-wire.ts'
import { converseEvents, converseMessage, eventStreamHeaders, frame } from '../../harness/converse-wire.ts'
import { geminiAnswer, geminiEvents } from '../../harness/gemini-wire.ts'
import type { Json } from '../../harness/json.ts'
import type { ModelAnswer } from '../../harness/model-answer.ts'
import { chatCompletion, chatCompletionEvents } from '../../harness/openai-wire.ts'
import { response, responseEvents } from '../../harness/responses-wire.ts'
import type { VendorReply } from '../../harness/vendor.ts'
import type { Wire } from '../breaking-wires.ts'

/** `data`: what it says; text is written as it is. */
export interface VendorEvent {
  readonly type?: string
  readonly data: Json | string
}

const model = 'vendor-model'

const streams: Readonly<Record<Wire, (answer: ModelAnswer) => VendorEvent[]>> = {
  openai: (answer) => read(chatCompletionEvents(answer, model, true)),
  anthropic: (answer) => read(messageEvents(answer, model)),
  responses: (answer) => read(responseEvents(answer, model)),
  gemini: (answer) => read(geminiEvents(answer, model)),
  converse: (answer) => converseEvents(answer).map(([type, data]) => ({ type, data })),
}

const bodies: Readonly<Record<Wire, (answer: ModelAnswer) => string>> = {
  openai: (answer) => chatCompletion(answer, model),
  anthropic: (answer) => message(answer, model),
  responses: (answer) => response(answer, model),
  gemini: (answer) => geminiAnswer(answer, model),
  converse: converseMessage,
}

function read(events: readonly string[]): VendorEvent[] {
  return events.map((event) => {
    const type = /^event: (.*)$/m.exec(event)?.[1]
    const [, data = ''] = /^data: (.*?)\r?$/m.exec(event) ?? []
    return { ...(type === undefined ? {} : { type }), data: data.startsWith('{') ? (JSON.parse(data) as Json) : data }
  })
}

/** The events a vendor of this dialect streams. */
export function eventsOf(wire: Wire, answer: ModelAnswer): VendorEvent[] {
  return streams[wire](answer)
}

/** The body a vendor of this dialect answers with. */
export function bodyOf(wire: Wire, answer: ModelAnswer): Json {
  return JSON.parse(bodies[wire](answer)) as Json
}

/** These events as they are streamed. Numbers of a responses stream are put right where there are any. */
export function streamReply(wire: Wire, events: readonly VendorEvent[]): VendorReply {
  if (wire === 'converse')
    return {
      headers: eventStreamHeaders,
      parts: events.map(({ type = '', data }) => frame(type, typeof data === 'string' ? Buffer.from(data) : data)),
    }
  let number = 0
  const parts = events.map(({ type, data }) => {
    const told = typeof data !== 'string' && data['sequence_number'] !== undefined ? { ...data, sequence_number: number++ } : data
    const words = typeof told === 'string' ? told : JSON.stringify(told)
    return `${type === undefined ? '' : `event: ${type}\n`}data: ${words}\n\n`
  })
  return { headers: { 'content-type': 'text/event-stream; charset=utf-8' }, parts }
}

export function bodyReply(body: Json): VendorReply {
  return { parts: [JSON.stringify(body)] }
}
