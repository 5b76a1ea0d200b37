/** How answers end: without their last word, with a word nobody knows, with one that does not fit, twice, or in the middle of a call. */
import type { Json } from '../../../harness/json.ts'
import { type AnswerKind, changed, everywhere, type Oddity, type Streamed, words } from '../kind.ts'
import type { VendorEvent } from '../vendor-events.ts'

/** The field that says why an answer ended, set to another word. */
const ending = (word: string): AnswerKind['odd'] => ({
  openai: everywhere((object) => (typeof object['finish_reason'] === 'string' ? { ...object, finish_reason: word } : object)),
  anthropic: everywhere((object) => (typeof object['stop_reason'] === 'string' ? { ...object, stop_reason: word } : object)),
  gemini: everywhere((object) => (typeof object['finishReason'] === 'string' ? { ...object, finishReason: word } : object)),
  converse: everywhere((object) => (typeof object['stopReason'] === 'string' ? { ...object, stopReason: word } : object)),
})

const native = (wordsOf: Readonly<Record<'openai' | 'anthropic' | 'converse', string>>): AnswerKind['odd'] => ({
  openai: ending(wordsOf.openai).openai as Oddity,
  anthropic: ending(wordsOf.anthropic).anthropic as Oddity,
  converse: ending(wordsOf.converse).converse as Oddity,
})

const isLast = (events: readonly VendorEvent[], found: (data: string) => boolean): number =>
  events.findLastIndex(({ data }) => found(JSON.stringify(data)))

/** The event that says why the answer ended, again. */
const twice =
  (found: (data: string) => boolean): Streamed =>
  (events) => {
    const at = isLast(events, found)
    return events.toSpliced(at, 0, events[at] as VendorEvent)
  }

const cutCall = { text: 'I look.', calls: [{ id: 'call_notes', name: 'read_notes', args: '{"topic":"Wä' }], finish: 'length' as const }

export const endKinds: readonly AnswerKind[] = [
  {
    name: 'an end without its terminator',
    odd: {
      openai: { stream: (events) => events.filter(({ data }) => data !== '[DONE]') },
      converse: { stream: (events) => events.filter(({ type }) => type !== 'metadata') },
    },
  },
  {
    name: 'a terminator of another dialect',
    odd: {
      anthropic: { stream: (events) => [...events, { data: '[DONE]' }] },
      responses: { stream: (events) => [...events, { data: '[DONE]' }] },
      gemini: { stream: (events) => [...events, { data: '[DONE]' }] },
    },
  },
  {
    name: 'a finish reason nobody knows',
    answer: words,
    odd: ending('eos_token'),
    heard: (isSame) => (isSame ? { error: /eos_token/ } : { end: 'stop' }),
  },
  {
    name: 'a finish reason nobody knows, after calls',
    odd: ending('eos_token'),
    heard: (isSame) => (isSame ? { error: /eos_token/ } : { end: 'calls' }),
  },
  {
    name: 'a normal end after calls',
    odd: native({ openai: 'stop', anthropic: 'end_turn', converse: 'end_turn' }),
    heard: (isSame) => ({ end: isSame ? 'stop' : 'calls' }),
  },
  {
    name: 'calls that are announced and not made',
    answer: words,
    odd: native({ openai: 'tool_calls', anthropic: 'tool_use', converse: 'tool_use' }),
    heard: (isSame) => ({ end: isSame ? 'calls' : 'stop' }),
  },
  {
    name: 'a finish reason in every event that says nothing yet',
    odd: {
      openai: { stream: (events) => events.map((event) => withFinish(event, 'finish_reason', '')) },
      gemini: { stream: (events) => events.map((event) => withFinish(event, 'finishReason', 'FINISH_REASON_UNSPECIFIED')) },
    },
  },
  {
    name: 'an end that is told twice',
    odd: {
      openai: { stream: twice((data) => data.includes('"finish_reason":"')) },
      anthropic: { stream: twice((data) => data.includes('"message_delta"')) },
    },
  },
  {
    name: 'what it cost, after the end',
    odd: {
      gemini: {
        stream: (events) => [...events, { data: { usageMetadata: { promptTokenCount: 82, candidatesTokenCount: 17 }, modelVersion: 'm' } }],
      },
      openai: { stream: (events) => events.toSpliced(-1, 0, events.at(-2) as VendorEvent) },
    },
  },
  {
    name: 'a call that the length limit cut off',
    answer: cutCall,
    odd: {
      openai: { stream: (events) => events, whole: (body) => body },
      anthropic: { stream: (events) => events },
      responses: { stream: (events) => events, whole: (body) => body },
    },
    heard: { calls: [], end: 'length' },
  },
  {
    name: 'a call that the length limit cut off, whose arguments look whole',
    answer: { ...cutCall, calls: [{ ...cutCall.calls[0], args: { topic: 'W' } } as { id: string; name: string; args: object }] },
    odd: {
      anthropic: { whole: (body) => body },
      gemini: { stream: (events) => events, whole: (body) => body },
      converse: { whole: (body) => body },
    },
    heard: { calls: [], end: 'length' },
  },
  {
    name: 'a call that the length limit cut off in its first fragment',
    answer: { ...cutCall, calls: [{ id: 'call_notes', name: 'read_notes', args: { topic: 'Wäsche' } }] },
    odd: {
      converse: {
        stream: (events) => events.filter(({ data }) => !/W|sch|"}"/.test(JSON.stringify((data as Json)['delta']?.toolUse ?? ''))),
      },
    },
    heard: { calls: [], end: 'length' },
  },
  {
    name: 'an answer without anything in it',
    answer: { text: '' },
    odd: {
      openai: { whole: (body) => changed(body, (object) => (object['content'] === '' ? { ...object, content: null } : object)) },
      anthropic: {
        stream: (events) => events.filter(({ type }) => !String(type).startsWith('content_block')),
        whole: (body) => ({ ...body, content: [] }),
      },
      responses: {
        stream: (events) =>
          events
            .filter(({ type }) => /created|in_progress|completed/.test(String(type)))
            .map((event) => ({
              ...event,
              data: changed(event.data, (object) => (Array.isArray(object['output']) ? { ...object, output: [] } : object)),
            })),
        whole: (body) => ({ ...body, output: [] }),
      },
      gemini: everywhere((object) => (object['finishReason'] === undefined ? object : { finishReason: 'STOP', index: 0 })),
      converse: {
        stream: (events) => events.filter(({ type }) => !String(type).startsWith('contentBlock')),
        whole: (body) => ({ ...body, output: { message: { role: 'assistant', content: [] } } }),
      },
    },
  },
]

function withFinish(event: VendorEvent, field: string, word: string): VendorEvent {
  if (typeof event.data === 'string') return event
  return {
    data: changed(event.data, (object) =>
      (object['delta'] === undefined && object['content'] === undefined) ||
      typeof object['parts'] === 'object' ||
      (object[field] ?? null) !== null
        ? object
        : { ...object, [field]: word },
    ),
  }
}
