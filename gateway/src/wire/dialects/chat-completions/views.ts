/** Views of chat-completions messages: what a message says, calls and answers, over the original objects. */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { parseArguments } from '../../request/call-arguments.ts'
import type { MessageView, ToolCallView } from '../../dialect.ts'
import { invalid, isAbsent, optionalObjects, requireName, requireObject, requireString, unsupported } from '../../request/fields.ts'
import { mediaDigest, textInside } from '../../request/media-digests.ts'

const roles: Readonly<Record<string, MessageView['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
}

/** Throws `request.invalid` or `request.unsupported` naming the field. */
export function readChatMessage(value: JsonValue, index: number): MessageView {
  const path = `messages[${index}]`
  const message = requireObject(value, path)
  const name = requireString(message.role, `${path}.role`)
  if (name === 'function') throw unsupported(`${path}.role`, 'function messages are deprecated, use tool messages')
  const role = Object.hasOwn(roles, name) ? roles[name] : undefined
  if (role === undefined) throw invalid(`${path}.role`, 'it is none of system, developer, user, assistant, tool')
  if (isAbsent(message.content) && role !== 'assistant') throw invalid(`${path}.content`, 'it is missing')
  const text = contentText(message.content, `${path}.content`)
  if (role === 'tool') {
    const callId = requireName(message.tool_call_id, `${path}.tool_call_id`)
    return { index, role, text: '', calls: [], results: [{ callId, text, isError: undefined }], fromUser: false }
  }
  if (role !== 'assistant') return { index, role, text, calls: [], results: [], fromUser: role === 'user' }
  if (!isAbsent(message.function_call)) throw unsupported(`${path}.function_call`, 'function_call is deprecated, use tool_calls')
  return { index, role, text: withRefusal(text, message.refusal), calls: readCalls(message, path), results: [], fromUser: false }
}

/** The text of an assistant message of a request or a response. */
export function assistantText(message: JsonObject, path: string): string {
  return withRefusal(contentText(message.content, `${path}.content`), message.refusal)
}

function withRefusal(text: string, refusal: JsonValue | undefined): string {
  if (typeof refusal !== 'string' || refusal === '') return text
  return text === '' ? refusal : `${text}\n${refusal}`
}

function contentText(content: JsonValue | undefined, path: string): string {
  if (isAbsent(content)) return ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw invalid(path, 'it must be a string or an array of parts')
  return content.map((part, index) => partText(requireObject(part, `${path}[${index}]`), `${path}[${index}]`)).join('\n')
}

function partText(part: JsonObject, path: string): string {
  const type = requireString(part.type, `${path}.type`)
  switch (type) {
    case 'text':
      return requireString(part.text, `${path}.text`)
    case 'refusal':
      return requireString(part.refusal, `${path}.refusal`)
    case 'image_url':
      return mediaDigest('image', inner(part.image_url, 'url'))
    case 'input_audio':
      return mediaDigest('audio', inner(part.input_audio, 'data'))
    case 'file':
      return mediaDigest('file', inner(part.file, 'file_data') ?? inner(part.file, 'file_id') ?? part.file)
    default:
      // A part of a vendor we do not know: named by its hash, and every text in it is seen.
      return [mediaDigest('part', part), ...textInside(part)].join('\n')
  }
}

function inner(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isObject(value) ? value[key] : value
}

function readCalls(message: JsonObject, path: string): ToolCallView[] {
  const calls: ToolCallView[] = []
  for (const [index, call] of optionalObjects(message.tool_calls, `${path}.tool_calls`).entries()) {
    const view = readChatCall(call, `${path}.tool_calls[${index}]`)
    if (calls.some((other) => other.id === view.id))
      throw invalid(`${path}.tool_calls[${index}].id`, 'another call of the message has this id')
    calls.push(view)
  }
  return calls
}

/** One entry of `tool_calls`. Throws `request.invalid` or `request.unsupported` naming the field. */
export function readChatCall(call: JsonObject, path: string): ToolCallView {
  const id = requireName(call.id, `${path}.id`)
  const type = isAbsent(call.type) ? 'function' : call.type
  if (type === 'function') {
    const made = requireObject(call.function, `${path}.function`)
    return chatCallView(
      id,
      type,
      requireName(made.name, `${path}.function.name`),
      requireString(made.arguments, `${path}.function.arguments`),
    )
  }
  if (type === 'custom') {
    const made = requireObject(call.custom, `${path}.custom`)
    return chatCallView(id, type, requireName(made.name, `${path}.custom.name`), requireString(made.input, `${path}.custom.input`))
  }
  throw unsupported(`${path}.type`, 'a tool call is a function or custom call')
}

/** The view of a call: arguments of a function call are JSON text, those of a custom call are one text named `input`. */
export function chatCallView(id: string, type: 'function' | 'custom', name: string, argsText: string): ToolCallView {
  return { id, name, args: type === 'custom' ? { input: argsText } : parseArguments(argsText), argsText }
}
