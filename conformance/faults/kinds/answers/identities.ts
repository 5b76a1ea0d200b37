/** Ids and names: missing, in pieces, twice the same. */
import type { Json } from '../../../harness/json.ts'
import { type AnswerKind, changed, everywhere, inserted, type Oddity, type Streamed } from '../kind.ts'
import type { VendorEvent } from '../vendor-events.ts'

const noted = { text: 'I look.', calls: [{ id: 'call_notes', name: 'read_notes', args: { topic: 'Wäsche' } }] }
const twins = {
  text: 'I look.',
  calls: [
    { id: 'call_same', name: 'get_time', args: {} },
    { id: 'call_same', name: 'read_notes', args: { topic: 'Wäsche' } },
  ],
}

const isCall = (object: Json): boolean => object['name'] !== undefined || object['function'] !== undefined
const set = (field: string, value: unknown, of: (object: Json) => boolean = isCall): Required<Oddity> =>
  everywhere((object) => {
    if (!of(object) || object[field] === undefined) return object
    const rest = Object.fromEntries(Object.entries(object).filter(([name]) => name !== field))
    return value === undefined ? rest : { ...rest, [field]: value }
  })

const same = (events: readonly VendorEvent[]): readonly VendorEvent[] => events
const asIs: Required<Oddity> = { stream: same, whole: (body) => body }
/** Events of one type under another. */
const renamed =
  (from: string, to: string): Streamed =>
  (events) =>
    events.map(({ type, data }) =>
      type === from
        ? { type: to, data: typeof data === 'string' ? data : { ...data, ...(data['type'] === undefined ? {} : { type: to }) } }
        : { ...(type === undefined ? {} : { type }), data },
    )

const more = { topic: 'Wäsche' }
const unreadable = /upstream/i

export const identityKinds: readonly AnswerKind[] = [
  {
    name: 'calls without an id',
    odd: { openai: set('id', undefined), gemini: set('id', undefined) },
  },
  { name: 'calls whose id is null', odd: { openai: set('id', null), gemini: set('id', null) } },
  { name: 'calls whose id is empty', odd: { openai: set('id', ''), gemini: set('id', '') } },
  {
    name: 'calls without the id their dialect requires',
    odd: { anthropic: set('id', undefined), responses: set('call_id', undefined), converse: set('toolUseId', undefined) },
    heard: { error: unreadable },
  },
  {
    name: 'calls without a name',
    odd: {
      openai: set('name', ''),
      anthropic: set('name', ''),
      responses: set('name', ''),
      gemini: set('name', ''),
      converse: set('name', ''),
    },
    heard: { error: unreadable },
  },
  {
    name: 'a name in pieces',
    answer: noted,
    odd: {
      openai: {
        stream: (events) =>
          events.flatMap((event) => {
            if (!JSON.stringify(event.data).includes('"name":"read_notes"')) return [event]
            const second = {
              data: changed(event.data, (object) =>
                object['function'] === undefined ? object : { index: 0, function: { name: '_notes' } },
              ),
            }
            return [
              { data: changed(event.data, (object) => (object['name'] === undefined ? object : { ...object, name: 'read' })) },
              second,
            ]
          }),
      },
    },
  },
  {
    name: 'a name that is only told at the end',
    answer: noted,
    odd: {
      responses: {
        stream: (events) =>
          events.map((event) =>
            event.type === 'response.output_item.added'
              ? { ...event, data: changed(event.data, (object) => (object['name'] === undefined ? object : { ...object, name: '' })) }
              : event,
          ),
      },
    },
    heard: (isSame) => (isSame ? {} : { error: /no id or no name/ }),
  },
  {
    name: 'a call in an event that nobody knows',
    odd: {
      anthropic: { stream: renamed('content_block_start', 'content_block_replace') },
      responses: { stream: renamed('response.output_item.added', 'response.output_item.replaced') },
      converse: { stream: renamed('contentBlockStart', 'contentBlockReplace') },
    },
    heard: { error: unreadable },
  },
  {
    name: 'one more call, whole, in an event that nobody knows',
    odd: {
      anthropic: inserted(2, {
        type: 'content_block_replace',
        data: { type: 'content_block_replace', index: 7, content_block: { type: 'tool_use', id: 'more', name: 'read_notes', input: more } },
      }),
      converse: inserted(1, {
        type: 'contentBlockReplace',
        data: { contentBlockIndex: 7, start: { toolUse: { toolUseId: 'more', name: 'read_notes', input: more } } },
      }),
    },
    heard: (isSame) => (isSame ? { error: unreadable } : {}),
  },
  {
    name: 'one more call, as an item of an event that nobody knows',
    odd: {
      responses: inserted(2, {
        type: 'response.output_item.replaced',
        data: {
          type: 'response.output_item.replaced',
          output_index: 7,
          sequence_number: 0,
          item: { type: 'function_call', call_id: 'more', name: 'read_notes', arguments: JSON.stringify(more) },
        },
      }),
    },
    heard: { error: unreadable },
  },
  {
    name: 'two calls with one id',
    answer: twins,
    odd: { openai: asIs, anthropic: asIs, responses: asIs, gemini: asIs, converse: asIs },
    heard: { error: unreadable },
  },
  {
    name: 'an answer without id and model',
    odd: {
      openai: everywhere(anonymous((object) => object['choices'] !== undefined)),
      anthropic: everywhere(anonymous((object) => object['role'] === 'assistant')),
      responses: everywhere(anonymous((object) => object['object'] === 'response')),
      gemini: everywhere(({ responseId: _id, modelVersion: _model, ...rest }) => rest),
    },
  },
]

function anonymous(of: (object: Json) => boolean): (object: Json) => Json {
  return (object) => {
    if (!of(object)) return object
    const { id: _id, model: _model, ...rest } = object
    return rest
  }
}
