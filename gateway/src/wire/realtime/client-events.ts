/**
 * What a client says in a realtime session, read once and strictly: events that are not known here, and fields that would
 * put something before the model, or let the vendor run something, that nobody here could see, are refused by name.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { ToolCallView } from '../dialect.ts'
import { parseArguments } from '../request/call-arguments.ts'
import {
  invalid,
  isAbsent,
  optionalObjects,
  requireArray,
  requireName,
  requireObject,
  requireString,
  unsupported,
} from '../request/fields.ts'
import { textInside } from '../request/media-digests.ts'

/** An item of the conversation that the client puts there itself. */
export type ItemView =
  | { readonly kind: 'message'; readonly role: 'user' | 'system' | 'assistant'; readonly text: string }
  | { readonly kind: 'call'; readonly call: ToolCallView }
  | { readonly kind: 'result'; readonly callId: string; readonly text: string }
  | { readonly kind: 'reference' }

export interface ClientEvent {
  readonly type: string
  /** `session` or `response`, which a stage may change; undefined where the event has none. */
  readonly options: JsonObject | undefined
  /** Names of the tools it offers; undefined where it says nothing of tools. */
  readonly tools: readonly string[] | undefined
  readonly instructions: string
  /** Another model that it names: for transcripts of what the person says. */
  readonly otherModel: string | undefined
  readonly items: readonly ItemView[]
  /** The item it speaks of, by its id. */
  readonly itemId: string | undefined
}

const nothing = { options: undefined, tools: undefined, instructions: '', otherModel: undefined, items: [], itemId: undefined } as const

type Reader = (event: JsonObject, model: string) => Partial<ClientEvent>

const readers: Readonly<Record<string, Reader>> = {
  'session.update': ({ session }, model) => readOptions(requireObject(session, 'session'), 'session', model),
  'response.create': ({ response }, model) => (isAbsent(response) ? {} : readResponse(requireObject(response, 'response'), model)),
  'conversation.item.create': ({ item }) => ({ items: [readItem(requireObject(item, 'item'), 'item', false)] }),
  'conversation.item.retrieve': readItemId,
  'conversation.item.delete': readItemId,
  'conversation.item.truncate': readItemId,
  'input_audio_buffer.append': () => ({}),
  'input_audio_buffer.commit': () => ({}),
  'input_audio_buffer.clear': () => ({}),
  'output_audio_buffer.clear': () => ({}),
  'response.cancel': () => ({}),
}

/** `model`: the name the client asked for when it connected. Throws `request.invalid` / `request.unsupported` naming the field. */
export function readClientEvent(event: JsonObject, model: string): ClientEvent {
  const type = requireName(event.type, 'type')
  if (!Object.hasOwn(readers, type)) throw unsupported(type.slice(0, 64), 'this event is not known here')
  return { ...nothing, type, ...(readers[type] as Reader)(event, model) }
}

function readItemId({ item_id: id }: JsonObject): Partial<ClientEvent> {
  return { itemId: requireName(id, 'item_id') }
}

function readResponse(response: JsonObject, model: string): Partial<ClientEvent> {
  const items = isAbsent(response.input)
    ? []
    : requireArray(response.input, 'response.input').map((item, index) => {
        const path = `response.input[${index}]`
        return readItem(requireObject(item, path), path, true)
      })
  return { ...readOptions(response, 'response', model), items }
}

function readOptions(options: JsonObject, path: string, model: string): Partial<ClientEvent> {
  if (!isAbsent(options.type) && options.type !== 'realtime')
    throw unsupported(`${path}.type`, 'only realtime sessions are relayed: transcription and translation are not')
  if (!isAbsent(options.prompt)) throw unsupported(`${path}.prompt`, 'what it stands for cannot be seen here: send the text itself')
  if (!isAbsent(options.model) && options.model !== model) throw unsupported(`${path}.model`, 'the model is chosen when connecting')
  const { tool_choice: choice } = options
  if (isObject(choice) && choice.type !== 'function') throw unsupported(`${path}.tool_choice`, 'it can name a function tool only')
  return {
    options,
    tools: isAbsent(options.tools) ? undefined : readTools(options.tools, `${path}.tools`),
    instructions: isAbsent(options.instructions) ? '' : requireString(options.instructions, `${path}.instructions`),
    otherModel: transcriber(options),
  }
}

function readTools(value: JsonValue, path: string): readonly string[] {
  return optionalObjects(value, path).map((tool, index) => {
    if (!isAbsent(tool.type) && tool.type !== 'function')
      throw unsupported(
        `${path}[${index}].type`,
        'the vendor would run it, and nobody here could decide its calls',
        'Offer function tools.',
      )
    return requireName(tool.name, `${path}[${index}].name`)
  })
}

/** Today's sessions name it under `audio.input`, earlier ones at the top. */
function transcriber({ audio, input_audio_transcription: older }: JsonObject): string | undefined {
  const input = isObject(audio) && isObject(audio.input) ? audio.input : {}
  const models = [input.transcription, older].flatMap((one) => (isObject(one) && !isAbsent(one.model) ? [one.model] : []))
  if (models.length > 1) throw invalid('session.input_audio_transcription', 'there are two of them')
  return models[0] === undefined ? undefined : requireName(models[0], 'session.audio.input.transcription.model')
}

/** Takes tools out of an offer. A choice that forced one of them becomes automatic. */
export function removeOffered(options: JsonObject, names: ReadonlySet<string>): void {
  const tools = optionalObjects(options.tools, 'tools')
  options.tools = tools.filter(({ name }) => typeof name !== 'string' || !names.has(name))
  const { tool_choice: choice } = options
  const isForced = isObject(choice) && typeof choice.name === 'string' && names.has(choice.name)
  if (isForced || (options.tools.length === 0 && choice === 'required')) options.tool_choice = 'auto'
}

const roles: ReadonlySet<unknown> = new Set(['user', 'system', 'assistant'])

function readItem(item: JsonObject, path: string, mayRefer: boolean): ItemView {
  switch (item.type) {
    case 'message':
      if (!roles.has(item.role)) throw unsupported(`${path}.role`, 'it must be user, system or assistant')
      return { kind: 'message', role: item.role as 'user', text: messageText(item.content, `${path}.content`) }
    case 'function_call': {
      const argsText = requireString(item.arguments, `${path}.arguments`)
      const id = requireName(item.call_id, `${path}.call_id`)
      return { kind: 'call', call: { id, name: requireName(item.name, `${path}.name`), args: parseArguments(argsText), argsText } }
    }
    case 'function_call_output':
      return {
        kind: 'result',
        callId: requireName(item.call_id, `${path}.call_id`),
        text: typeof item.output === 'string' ? item.output : textInside(item.output).join('\n'),
      }
    case 'item_reference':
      if (mayRefer) return { kind: 'reference' }
      break
  }
  throw unsupported(`${path}.type`, 'items are messages, function calls and their outputs')
}

/** Sound and pictures are the person's own, and are no text. */
const media: ReadonlySet<unknown> = new Set(['input_audio', 'input_image', 'audio', 'output_audio'])

function messageText(content: JsonValue | undefined, path: string): string {
  const parts = optionalObjects(content, path)
  return parts
    .flatMap((part, index) => {
      if (media.has(part.type)) return typeof part.transcript === 'string' ? [part.transcript] : []
      if (part.type === 'input_text' || part.type === 'output_text' || part.type === 'text')
        return [requireString(part.text, `${path}[${index}].text`)]
      throw unsupported(`${path}[${index}].type`, 'this kind of content is not known here')
    })
    .join('\n')
}
