/** Arguments of calls as vendors and edges get them wrong: an object for text, text for an object, null, nothing. */
import type { Json } from '../../../harness/json.ts'
import { type AnswerKind, everywhere, type Oddity } from '../kind.ts'
import type { VendorEvent } from '../vendor-events.ts'

const noted = { text: 'I look.', calls: [{ id: 'call_notes', name: 'read_notes', args: { topic: 'Wäsche' } }] }
const bare = { text: 'I look.', calls: [{ id: 'call_time', name: 'get_time', args: {} }] }

const without = (object: Json, field: string): Json => Object.fromEntries(Object.entries(object).filter(([name]) => name !== field))

/** The call in its first fragment, whole, with these arguments. */
const wholeChatCall = (args: unknown): Required<Oddity> => ({
  stream: (events) => {
    const isCall = ({ data }: VendorEvent): boolean => JSON.stringify(data).includes('"tool_calls":')
    const first = events.findIndex(isCall)
    return events
      .filter((event, at) => at === first || !isCall(event))
      .map((event) => (isCall(event) ? { data: withChatArguments(event.data as Json, args) } : event))
  },
  whole: (body) => withChatArguments(body, args),
})

function withChatArguments(body: Json, args: unknown): Json {
  return everywhere((object) =>
    object['name'] === undefined ? object : { ...without(object, 'arguments'), ...(args === undefined ? {} : { arguments: args }) },
  ).whole(body)
}

const isItem = (object: Json): boolean => object['type'] === 'function_call'
/** Items with these arguments; no fragments. */
const wholeItem = (args: unknown): Oddity => {
  const { stream, whole } = everywhere((object) =>
    isItem(object) ? { ...without(object, 'arguments'), ...(args === undefined ? {} : { arguments: args }) } : object,
  )
  return { stream: (events) => stream(events.filter(({ type }) => !String(type).includes('arguments'))), whole }
}

const input = (value: unknown): Oddity => {
  const { stream, whole } = everywhere((object) =>
    object['type'] === 'tool_use' || object['toolUseId'] !== undefined
      ? { ...without(object, 'input'), ...(value === undefined ? {} : { input: value }) }
      : object,
  )
  return { stream: (events) => stream(events.filter(({ data }) => !JSON.stringify(data).includes('input_json_delta'))), whole }
}

const args = (value: unknown): Required<Oddity> =>
  everywhere((object) =>
    object['name'] === undefined ? object : { ...without(object, 'args'), ...(value === undefined ? {} : { args: value }) },
  )

const nothing = (value: unknown): AnswerKind['odd'] => ({
  openai: { whole: wholeChatCall(value).whole },
  anthropic: input(value),
  responses: wholeItem(value),
  gemini: args(value),
  converse: { whole: input(value).whole as Required<Oddity>['whole'] },
})

const unreadable = /arguments of a tool call of its answer are not an object/

export const argumentKinds: readonly AnswerKind[] = [
  { name: 'arguments that are null', answer: bare, odd: nothing(null) },
  { name: 'arguments that are not there', answer: bare, odd: nothing(undefined) },
  {
    name: 'arguments that are null, where fragments could follow',
    answer: bare,
    odd: { openai: { stream: wholeChatCall(null).stream } },
    heard: (isSame) => (isSame ? 'as sent' : {}),
  },
  {
    name: 'arguments that are not there, where fragments could follow',
    answer: bare,
    odd: { openai: { stream: wholeChatCall(undefined).stream } },
    heard: (isSame) => (isSame ? 'as sent' : {}),
  },
  {
    name: 'arguments that are empty text',
    answer: bare,
    odd: { openai: wholeChatCall(''), responses: wholeItem('') },
    heard: (isSame) => (isSame ? 'as sent' : {}),
  },
  {
    name: 'an object where arguments are text',
    answer: noted,
    odd: { openai: wholeChatCall({ topic: 'Wäsche' }), responses: wholeItem({ topic: 'Wäsche' }) },
  },
  {
    name: 'text where arguments are an object',
    answer: noted,
    odd: {
      anthropic: { whole: input('{"topic":"Wäsche"}').whole as Required<Oddity>['whole'] },
      gemini: args('{"topic":"Wäsche"}'),
      converse: { whole: input('{"topic":"Wäsche"}').whole as Required<Oddity>['whole'] },
    },
  },
  {
    name: 'a list where arguments are an object',
    answer: noted,
    odd: {
      anthropic: { whole: input([1]).whole as Required<Oddity>['whole'] },
      gemini: args([1]),
      converse: { whole: input([1]).whole as Required<Oddity>['whole'] },
    },
    heard: { error: unreadable },
  },
]
