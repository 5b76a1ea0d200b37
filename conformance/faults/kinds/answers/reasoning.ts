/** Reasoning under the names vendors give it, and what they sign it with. */
import type { Json } from '../../../harness/json.ts'
import type { ModelAnswer } from '../../../harness/model-answer.ts'
import { type AnswerKind, changed, everywhere, type Oddity } from '../kind.ts'
import type { VendorEvent } from '../vendor-events.ts'

const thought = 'Let me see.'
const said: ModelAnswer = { text: 'The notes say: buy milk.' }

/** Reasoning before the first words of a chat answer, under this name. */
const named = (name: string): Required<Oddity> => ({
  stream: ([first, ...events]) => [
    first as VendorEvent,
    { data: changed(first?.data, (object) => (object['role'] === undefined ? object : { [name]: 'Let me ' })) },
    { data: changed(first?.data, (object) => (object['role'] === undefined ? object : { [name]: 'see.', content: null })) },
    ...events,
  ],
  whole: (body) => changed(body, (object) => (object['role'] === undefined ? object : { ...object, [name]: thought })),
})

const item: Json = { id: 'rs_1', type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: thought }], status: 'completed' }

export const reasoningKinds: readonly AnswerKind[] = [
  { name: 'reasoning_content', answer: said, odd: { openai: named('reasoning_content') }, heard: { reasoning: thought } },
  { name: 'reasoning under its other name', answer: said, odd: { openai: named('reasoning') }, heard: { reasoning: thought } },
  {
    name: 'reasoning in its own words, not as a summary',
    answer: said,
    odd: {
      responses: {
        stream: (events) => [
          ...events.slice(0, 2),
          {
            type: 'response.output_item.added',
            data: {
              type: 'response.output_item.added',
              output_index: 0,
              sequence_number: 0,
              item: { ...item, content: [], status: 'in_progress' },
            },
          },
          {
            type: 'response.reasoning_text.delta',
            data: {
              type: 'response.reasoning_text.delta',
              item_id: 'rs_1',
              output_index: 0,
              content_index: 0,
              sequence_number: 0,
              delta: thought,
            },
          },
          { type: 'response.output_item.done', data: { type: 'response.output_item.done', output_index: 0, sequence_number: 0, item } },
          ...events.slice(2).map((event) => ({
            ...event,
            data: changed(event.data, (object) => ({
              ...object,
              ...(typeof object['output_index'] === 'number' ? { output_index: object['output_index'] + 1 } : {}),
              ...(Array.isArray(object['output']) ? { output: [item, ...object['output']] } : {}),
            })),
          })),
        ],
        whole: (body) => ({ ...body, output: [item, ...(body['output'] as Json[])] }),
      },
    },
    heard: { reasoning: thought },
  },
  {
    name: 'thinking that nobody signed',
    answer: { ...said, thinking: { text: thought, signature: '' } },
    odd: {
      anthropic: {
        stream: (events) => events.filter(({ data }) => !JSON.stringify(data).includes('signature_delta')),
        whole: (body) => body,
      },
      gemini: everywhere(({ thoughtSignature: _signature, ...rest }) => rest),
      converse: {
        stream: (events) => events.filter(({ data }) => (data as Json)['delta']?.reasoningContent?.signature === undefined),
        whole: (body) => changed(body, ({ signature: _signature, ...rest }) => rest),
      },
    },
    heard: { reasoning: thought },
  },
  {
    name: 'a thought signature on a part of its own, at the end',
    answer: said,
    odd: {
      gemini: {
        stream: (events) =>
          events.map((event, at) =>
            at < events.length - 1
              ? event
              : {
                  data: changed(event.data, (object) =>
                    Array.isArray(object['parts'])
                      ? { ...object, parts: [...object['parts'], { text: '', thoughtSignature: 'c2lnbmVk' }] }
                      : object,
                  ),
                },
          ),
        whole: (body) =>
          changed(body, (object) =>
            Array.isArray(object['parts'])
              ? { ...object, parts: [...object['parts'], { text: '', thoughtSignature: 'c2lnbmVk' }] }
              : object,
          ),
      },
    },
  },
]
