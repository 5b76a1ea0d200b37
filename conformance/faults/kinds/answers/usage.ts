/** What an answer cost: told once or again and again, with or without what the cache had, in numbers or not at all. */
import type { Json } from '../../../harness/json.ts'
import { type AnswerKind, changed, everywhere, type Oddity, type Streamed } from '../kind.ts'
import type { VendorEvent } from '../vendor-events.ts'

const said = { text: 'The notes say: buy milk.' }

const field = (name: string, value: Json): Required<Oddity> =>
  everywhere((object) => ((object[name] ?? null) === null ? object : { ...object, [name]: value }))
const cached = { input: 100, output: 17, cached: 60 }

/** Usage in every event, growing: `[what the event at this place says]`. */
const growing =
  (grow: (data: Json, share: number) => Json): Streamed =>
  (events) =>
    events.map((event, at) => (typeof event.data === 'string' ? event : { ...event, data: grow(event.data, (at + 1) / events.length) }))

const asText = everywhere((object) =>
  Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, typeof value === 'number' && /token/i.test(name) ? String(value) : value]),
  ),
)
const nulls = everywhere((object) =>
  Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, typeof value === 'number' && /token/i.test(name) ? null : value]),
  ),
)

const anthropic = { input_tokens: 30, cache_read_input_tokens: 60, cache_creation_input_tokens: 10, output_tokens: 17 }

export const usageKinds: readonly AnswerKind[] = [
  {
    name: 'usage with what the cache had',
    answer: said,
    odd: {
      openai: field('usage', {
        prompt_tokens: 100,
        completion_tokens: 17,
        total_tokens: 117,
        prompt_tokens_details: { cached_tokens: 60 },
      }),
      anthropic: field('usage', anthropic),
      responses: field('usage', {
        input_tokens: 100,
        input_tokens_details: { cached_tokens: 60 },
        output_tokens: 17,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 117,
      }),
      gemini: field('usageMetadata', {
        promptTokenCount: 100,
        cachedContentTokenCount: 60,
        candidatesTokenCount: 17,
        totalTokenCount: 117,
      }),
      converse: field('usage', {
        inputTokens: 30,
        cacheReadInputTokens: 60,
        cacheWriteInputTokens: 10,
        outputTokens: 17,
        totalTokens: 117,
      }),
    },
    heard: { usage: cached },
  },
  {
    name: 'the end tells only what came out',
    answer: said,
    odd: {
      anthropic: {
        stream: (events) =>
          events.map((event) => ({
            ...event,
            data: changed(event.data, (object) =>
              object['usage'] === undefined
                ? object
                : { ...object, usage: event.type === 'message_delta' ? { output_tokens: 17 } : { ...anthropic, output_tokens: 1 } },
            ),
          })),
      },
    },
    heard: { usage: cached },
  },
  {
    name: 'usage that grows with every event',
    answer: said,
    odd: {
      openai: {
        stream: growing((data, share) => ({
          ...data,
          usage: { prompt_tokens: 82, completion_tokens: Math.floor(17 * Math.min(1, share * 1.2)), total_tokens: 99 },
        })),
      },
      gemini: {
        stream: growing((data, share) => ({
          ...data,
          usageMetadata: { promptTokenCount: 82, candidatesTokenCount: Math.floor(17 * share), totalTokenCount: 99 },
        })),
      },
    },
    heard: { usage: { input: 82, output: 17, cached: 0 } },
  },
  {
    name: 'thoughts that are counted apart',
    answer: said,
    odd: {
      gemini: field('usageMetadata', {
        promptTokenCount: 70,
        toolUsePromptTokenCount: 12,
        candidatesTokenCount: 10,
        thoughtsTokenCount: 7,
        totalTokenCount: 99,
      }),
    },
    heard: { usage: { input: 82, output: 17, cached: 0 } },
  },
  { name: 'usage in text', answer: said, odd: { openai: asText, anthropic: asText, responses: asText, gemini: asText } },
  { name: 'usage of null', answer: said, odd: { openai: nulls, anthropic: nulls, responses: nulls, gemini: nulls, converse: nulls } },
  {
    name: 'no usage',
    answer: said,
    odd: {
      openai: {
        stream: (events) => events.filter(({ data }) => !JSON.stringify(data).includes('"choices":[]')),
        whole: ({ usage: _usage, ...body }) => body,
      },
      responses: field('usage', null as unknown as Json),
      gemini: everywhere(({ usageMetadata: _usage, ...rest }) => rest),
      converse: {
        stream: (events) =>
          events.map((event: VendorEvent) => (event.type === 'metadata' ? { ...event, data: { metrics: { latencyMs: 4 } } } : event)),
        whole: ({ usage: _usage, ...body }) => body,
      },
    },
  },
]
