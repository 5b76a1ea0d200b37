/** Views of messages-dialect content: what its blocks say, call and answer, over the original objects. */
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { MessageView, ToolCallView, ToolResultView } from '../../dialect.ts'
import { invalid, isAbsent, requireArray, requireName, requireObject, requireString } from '../../request/fields.ts'
import { mediaDigest, textInside } from '../../request/media-digests.ts'

const roles: Readonly<Record<string, MessageView['role']>> = { user: 'user', assistant: 'assistant', system: 'system' }

/** Throws `request.invalid` naming the field. */
export function readMessage(value: JsonValue, index: number): MessageView {
  const path = `messages[${index}]`
  const message = requireObject(value, path)
  const name = requireString(message.role, `${path}.role`)
  const role = Object.hasOwn(roles, name) ? roles[name] : undefined
  if (role === undefined) throw invalid(`${path}.role`, 'it is none of user, assistant, system')
  const { content } = message
  if (typeof content === 'string') return { index, role, text: content, calls: [], results: [], fromUser: role === 'user' }
  const blocks = requireArray(content, `${path}.content`)
  const texts: string[] = []
  const calls: ToolCallView[] = []
  const results: ToolResultView[] = []
  for (const [at, item] of blocks.entries()) {
    const blockPath = `${path}.content[${at}]`
    const block = requireObject(item, blockPath)
    const type = requireString(block.type, `${blockPath}.type`)
    if (type === 'tool_use') {
      if (role !== 'assistant') throw invalid(blockPath, 'only the assistant makes tool calls')
      const call = readToolUse(block, blockPath)
      if (calls.some((other) => other.id === call.id)) throw invalid(`${blockPath}.id`, 'another call of the message has this id')
      calls.push(call)
    } else if (type === 'tool_result') {
      if (role !== 'user') throw invalid(blockPath, 'only the user answers tool calls')
      results.push(readToolResult(block, blockPath))
    } else {
      texts.push(...blockTexts(block, type, blockPath))
    }
  }
  return { index, role, text: texts.join('\n'), calls, results, fromUser: role === 'user' && blocks.length > results.length }
}

/** The system prompt, which stands before the messages: index -1. */
export function readSystem(system: JsonValue | undefined): MessageView | undefined {
  if (isAbsent(system)) return undefined
  const text = typeof system === 'string' ? system : textOfBlocks(requireArray(system, 'system'), 'system')
  return { index: -1, role: 'system', text, calls: [], results: [], fromUser: false }
}

/** A `tool_use` block. Throws `request.invalid` naming the field. */
export function readToolUse(block: JsonObject, path: string): ToolCallView {
  const args = requireObject(block.input, `${path}.input`)
  return { id: requireName(block.id, `${path}.id`), name: requireName(block.name, `${path}.name`), args, argsText: canonicalJson(args) }
}

function readToolResult(block: JsonObject, path: string): ToolResultView {
  const { content } = block
  let text = ''
  if (typeof content === 'string') text = content
  else if (!isAbsent(content)) text = textOfBlocks(requireArray(content, `${path}.content`), `${path}.content`)
  const references = Array.isArray(content) ? referencesIn(content) : []
  return {
    callId: requireName(block.tool_use_id, `${path}.tool_use_id`),
    text,
    isError: block.is_error === true,
    ...(references.length === 0 ? {} : { references }),
  }
}

function referencesIn(content: readonly JsonValue[]): string[] {
  return content.flatMap((part) =>
    isObject(part) && part.type === 'tool_reference' && typeof part.tool_name === 'string' ? [part.tool_name] : [],
  )
}

/** The text of content blocks, joined with newlines; tool calls, their results and thinking say nothing here. */
export function textOfBlocks(blocks: readonly JsonValue[], path: string): string {
  return blocks
    .flatMap((item, index) => {
      const block = requireObject(item, `${path}[${index}]`)
      const type = requireString(block.type, `${path}[${index}].type`)
      return type === 'tool_use' || type === 'tool_result' ? [] : blockTexts(block, type, `${path}[${index}]`)
    })
    .join('\n')
}

function blockTexts(block: JsonObject, type: string, path: string): string[] {
  switch (type) {
    case 'text':
      return [requireString(block.text, `${path}.text`)]
    case 'image':
      return [mediaDigest('image', sourceData(block.source))]
    case 'document':
      return documentTexts(block, path)
    case 'thinking':
    case 'redacted_thinking':
      return []
    case 'server_tool_use':
    case 'mcp_tool_use':
      return [`[${typeof block.name === 'string' ? block.name : type} ${canonicalJson(block.input ?? {})}]`]
    default:
      // Results of tools the vendor ran, search results, and blocks newer than this code: every text in them is seen.
      return textInside(block)
  }
}

function documentTexts(block: JsonObject, path: string): string[] {
  const around = [block.title, block.context].filter((value) => typeof value === 'string')
  const source = requireObject(block.source, `${path}.source`)
  if (source.type === 'text') return [...around, requireString(source.data, `${path}.source.data`)]
  if (source.type === 'content') {
    return [
      ...around,
      typeof source.content === 'string'
        ? source.content
        : textOfBlocks(requireArray(source.content, `${path}.source.content`), `${path}.source.content`),
    ]
  }
  return [...around, mediaDigest('document', sourceData(source))]
}

function sourceData(source: JsonValue | undefined): JsonValue | undefined {
  return isObject(source) ? (source.data ?? source.url ?? source.file_id ?? source) : source
}
