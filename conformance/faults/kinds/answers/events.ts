/** Events that say nothing, that nobody knows yet, or that say things in another place than usual. */
import type { Json } from '../../../harness/json.ts'
import { type AnswerKind, changed, everywhere, inserted, type Oddity, type Streamed, words } from '../kind.ts'
import type { VendorEvent } from '../vendor-events.ts'

const blank: Oddity = { stream: (events) => events.flatMap((event) => [{ data: '' }, event, { data: ' ' }]) }

/** Every object with a field nobody knows; what the model itself wrote stays. */
const newer = everywhere((object) =>
  // A member of a union of AWS has no other beside it.
  Object.keys(object).length === 0 || ['topic', 'text', 'toolUse', 'input'].some((name) => object[name] !== undefined)
    ? object
    : { ...object, x_newer: { than: ['this'] } },
)

const nameOnly: Streamed = (events) =>
  events.map(({ type = '', data }) => ({ type, data: Object.fromEntries(Object.entries(data).filter(([name]) => name !== 'type')) }))

const without = (field: string): Required<Oddity> =>
  everywhere((object) => Object.fromEntries(Object.entries(object).filter(([name]) => name !== field)))

const numbersAsText = (field: string): Required<Oddity> =>
  everywhere((object) => (typeof object[field] === 'number' ? { ...object, [field]: String(object[field]) } : object))

/** Fragments with a character of two halves become two, with half of it each. */
const halved: Oddity = {
  stream: (events) =>
    events.flatMap((event): VendorEvent[] => {
      const { type = '', data } = event
      const isCall = JSON.stringify(data).includes('functionCall')
      if (isCall || typeof data === 'string' || !(type === '' || /delta$/i.test(type)) || !/[\ud800-\udbff]/.test(JSON.stringify(data)))
        return [event]
      return [0, 1].map((half) => ({ ...event, data: changed(data, (object) => halfOf(object, half)) }))
    }),
}

function halfOf(object: Json, half: number): Json {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => {
      const at = typeof value === 'string' ? value.search(/[\ud800-\udbff]/) + 1 : 0
      return [name, at === 0 ? value : half === 0 ? String(value).slice(0, at) : String(value).slice(at)]
    }),
  )
}

const sunny = { text: 'Sun 🌤️🌤️ all day 🌤️.', calls: [{ id: 'call_notes', name: 'read_notes', args: { topic: '🌤️ or 🌧️?' } }] }

const unreadable = /not its dialect|not of its dialect|upstream|no index|malformed/i

export const eventKinds: readonly AnswerKind[] = [
  {
    name: 'events without data',
    answer: words,
    odd: { openai: blank, anthropic: blank, responses: blank, gemini: blank },
    heard: (isSame) => (isSame ? 'as sent' : {}),
  },
  {
    name: 'events that nobody knows',
    odd: {
      openai: inserted(1, { data: { id: 'x', object: 'chat.completion.keepalive', created: 1 } }),
      anthropic: inserted(2, { type: 'ping', data: { type: 'ping' } }, { type: 'telemetry', data: { type: 'telemetry', at: 1 } }),
      responses: inserted(
        2,
        { type: 'keepalive', data: { type: 'keepalive', sequence_number: 0 } },
        { type: 'response.future', data: { type: 'response.future', sequence_number: 0, said: [1] } },
      ),
      gemini: inserted(1, { data: { usageMetadata: { promptTokenCount: 82 }, modelVersion: 'm' } }, { data: { candidates: [] } }),
      converse: inserted(1, { type: 'initial-response', data: {} }, { type: 'futureEvent', data: { said: [1] } }),
    },
    heard: (isSame) => (isSame ? 'as sent' : {}),
  },
  { name: 'events whose type is in their name only', odd: { anthropic: { stream: nameOnly }, responses: { stream: nameOnly } } },
  { name: 'fields that nobody knows', odd: { openai: newer, anthropic: newer, responses: newer, gemini: newer, converse: newer } },
  {
    name: 'parts that nobody knows',
    odd: {
      anthropic: {
        ...inserted(
          -2,
          { type: 'content_block_start', data: { type: 'content_block_start', index: 3, content_block: { type: 'future', said: 1 } } },
          { type: 'content_block_stop', data: { type: 'content_block_stop', index: 3 } },
        ),
        whole: (body) => ({ ...body, content: [...(body['content'] as Json[]), { type: 'future', said: 1 }] }),
      },
      responses: {
        stream: (events) => {
          const item = { id: 'fu_1', type: 'future_item', status: 'completed', said: 1 }
          const last = events.at(-1)?.data as Json
          const more = ['added', 'done'].map((what) => ({
            type: `response.output_item.${what}`,
            data: { type: `response.output_item.${what}`, output_index: 3, item, sequence_number: 0 },
          }))
          const end = {
            type: 'response.completed',
            data: { ...last, response: { ...last['response'], output: [...last['response'].output, item] } },
          }
          return [...events.slice(0, -1), ...more, end]
        },
        whole: (body) => ({ ...body, output: [...(body['output'] as Json[]), { id: 'fu_1', type: 'future_item', said: 1 }] }),
      },
      gemini: {
        stream: (events) => [
          { data: { candidates: [{ content: { role: 'model', parts: [{ futurePart: { said: 1 } }] }, index: 0 }], modelVersion: 'm' } },
          ...events,
        ],
        whole: (body) =>
          changed(body, (object) =>
            Array.isArray(object['parts']) ? { ...object, parts: [{ futurePart: { said: 1 } }, ...object['parts']] } : object,
          ),
      },
      converse: {
        ...inserted(
          -2,
          { type: 'contentBlockStart', data: { contentBlockIndex: 3, start: { future: { said: 1 } } } },
          { type: 'contentBlockStop', data: { contentBlockIndex: 3 } },
        ),
        whole: (body) =>
          changed(body, (object) =>
            Array.isArray(object['content']) ? { ...object, content: [...object['content'], { future: { said: 1 } }] } : object,
          ),
      },
    },
  },
  {
    name: 'numbers of parts that are missing',
    odd: {
      openai: {
        stream: (events) =>
          events.map((event) =>
            JSON.stringify(event.data).includes('tool_calls')
              ? {
                  data: changed(event.data, (object) =>
                    object['function'] === undefined
                      ? object
                      : Object.fromEntries(Object.entries(object).filter(([name]) => name !== 'index')),
                  ),
                }
              : event,
          ),
      },
      gemini: without('index'),
    },
  },
  {
    name: 'numbers of blocks that are missing',
    odd: {
      anthropic: { stream: without('index').stream },
      responses: { stream: without('output_index').stream },
      converse: { stream: without('contentBlockIndex').stream },
    },
    heard: { error: unreadable },
  },
  {
    name: 'numbers of parts that are text',
    odd: {
      openai: {
        stream: (events) =>
          events.map((event) =>
            JSON.stringify(event.data).includes('tool_calls')
              ? {
                  data: changed(event.data, (object) =>
                    object['function'] === undefined ? object : { ...object, index: String(object['index']) },
                  ),
                }
              : event,
          ),
      },
      anthropic: { stream: numbersAsText('index').stream },
      responses: { stream: numbersAsText('output_index').stream },
      converse: { stream: numbersAsText('contentBlockIndex').stream },
    },
    heard: { error: unreadable },
  },
  {
    name: 'characters that are cut in half',
    answer: sunny,
    odd: { openai: halved, anthropic: halved, responses: halved, gemini: halved, converse: halved },
  },
  {
    name: 'a role in every chunk',
    odd: {
      openai: {
        stream: (events) =>
          events
            .map(({ data }) => ({
              data: changed(data, (object) =>
                object['content'] !== undefined || object['tool_calls'] !== undefined ? { role: 'assistant', ...object } : object,
              ),
            }))
            .map((event, at) => (typeof events[at]?.data === 'string' ? (events[at] as VendorEvent) : event)),
      },
    },
  },
  {
    name: 'first words in the beginning of their part',
    answer: { text: 'The notes say: buy milk.' },
    odd: {
      anthropic: {
        stream: (events) => {
          const first = events.findIndex(({ type }) => type === 'content_block_delta')
          return events
            .filter((_, at) => at !== first)
            .map((event) =>
              event.type === 'content_block_start'
                ? {
                    ...event,
                    data: {
                      ...(event.data as Json),
                      content_block: { type: 'text', text: (events[first]?.data as Json | undefined)?.['delta'].text },
                    },
                  }
                : event,
            )
        },
      },
    },
  },
  {
    name: 'a beginning that is left out',
    odd: {
      responses: { stream: (events) => events.slice(2) },
      openai: { stream: (events) => events.slice(1) },
    },
    heard: (isSame) => (isSame ? 'as sent' : {}),
  },
  {
    name: 'items that are only told whole',
    odd: { responses: { stream: (events) => events.filter(({ type }) => /created|output_item.done|completed/.test(String(type))) } },
    // What is said only by whole items is in no delta.
    heard: (isSame) => (isSame ? 'as sent' : {}),
  },
  {
    name: 'an end that has lost its items',
    odd: {
      responses: {
        stream: (events) =>
          events.map((event) =>
            event.type === 'response.completed'
              ? { ...event, data: changed(event.data, (object) => (Array.isArray(object['output']) ? { ...object, output: [] } : object)) }
              : event,
          ),
      },
    },
    heard: (isSame) => (isSame ? 'as sent' : {}),
  },
]
