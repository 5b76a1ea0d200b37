/** Null where a list is due, lists where text is due, and lists that are none. */
import type { Json } from '../../../harness/json.ts'
import { type AnswerKind, changed, everywhere, type Oddity, words } from '../kind.ts'

/** Lists of nothing become null. */
const nulls: Required<Oddity> = everywhere((object) =>
  Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name,
      Array.isArray(value) && value.length === 0 && !['output', 'choices', 'content'].includes(name) ? null : value,
    ]),
  ),
)
const plus = (more: Json, of: (object: Json) => boolean): Required<Oddity> =>
  everywhere((object) => (of(object) ? { ...object, ...more } : object))

/** A number where words are. */
const numbered = (field: string): Required<Oddity> =>
  everywhere((object) => (typeof object[field] === 'string' && object[field] !== '' ? { ...object, [field]: 7 } : object))

const unreadable = /upstream/i
const inWhole = (change: (body: Json) => Json): Oddity => ({ whole: change })

/** What scripts would read like a list, in the place of one: `[0]` of both is the same. */
const listLike = (field: string): Required<Oddity> =>
  everywhere((object) => (Array.isArray(object[field]) ? { ...object, [field]: Object.fromEntries(object[field].entries()) } : object))

export const nothingKinds: readonly AnswerKind[] = [
  {
    name: 'null where a list is due',
    answer: words,
    odd: {
      openai: plus({ tool_calls: null, function_call: null, annotations: null, audio: null }, (object) => object['content'] !== undefined),
      anthropic: plus({ citations: null }, (object) => object['type'] === 'text'),
      responses: nulls,
      gemini: plus(
        { safetyRatings: null, groundingMetadata: null, citationMetadata: null, tokenCount: null },
        (object) => object['content'] !== undefined,
      ),
      converse: plus(
        { trace: null, additionalModelResponseFields: null, performanceConfig: null },
        (object) => object['stopReason'] !== undefined,
      ),
    },
  },
  {
    name: 'content as a list of parts',
    answer: words,
    odd: {
      openai: everywhere((object) =>
        typeof object['content'] === 'string' && object['content'] !== ''
          ? { ...object, content: [{ type: 'text', text: object['content'] }] }
          : object,
      ),
    },
    heard: (isSame) => (isSame ? 'as sent' : {}),
  },
  {
    name: 'a list that is none',
    answer: words,
    odd: {
      openai: inWhole((body) => ({ ...body, choices: body['choices'][0] })),
      anthropic: inWhole((body) => ({ ...body, content: body['content'][0].text })),
      responses: inWhole((body) => ({ ...body, output: body['output'][0] })),
      gemini: everywhere((object) => (Array.isArray(object['parts']) ? { ...object, parts: object['parts'][0] } : object)),
      converse: inWhole((body) =>
        changed(body, (object) => (Array.isArray(object['content']) ? { ...object, content: object['content'][0] } : object)),
      ),
    },
    heard: { error: unreadable },
  },
  {
    name: 'words that are no text',
    answer: words,
    odd: {
      openai: numbered('content'),
      anthropic: numbered('text'),
      responses: { stream: numbered('delta').stream, whole: numbered('text').whole },
      gemini: numbered('text'),
      converse: numbered('text'),
    },
    heard: { error: unreadable },
  },
  {
    name: 'an object that reads like a list',
    odd: {
      openai: listLike('choices'),
      anthropic: { whole: listLike('content').whole },
      responses: { whole: listLike('output').whole },
      gemini: listLike('candidates'),
      converse: { whole: listLike('content').whole },
    },
    heard: { error: unreadable },
  },
  {
    name: 'an object that reads like a list, beside events that say the same',
    odd: { anthropic: { stream: listLike('content').stream }, responses: { stream: listLike('output').stream } },
    heard: (isSame) => (isSame ? { error: unreadable } : {}),
  },
  { name: 'parts that read like a list', odd: { gemini: listLike('parts') }, heard: { error: unreadable } },
  {
    name: 'calls that read like a list',
    odd: { openai: listLike('tool_calls') },
    heard: { error: unreadable },
  },
]
