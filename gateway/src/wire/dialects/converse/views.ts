/** Views of Converse content: what its blocks say, call and answer, over the original objects. A block is an object with one member, which names its kind. */
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { MessageView, ToolCallView, ToolResultView } from '../../dialect.ts'
import {
  invalid,
  isAbsent,
  requireArray,
  requireName,
  requireObject,
  requireObjects,
  requireString,
  unsupported,
} from '../../request/fields.ts'
import { mediaDigest, textInside } from '../../request/media-digests.ts'
import { isClientCall } from './tools.ts'

const roles: Readonly<Record<string, MessageView['role']>> = { user: 'user', assistant: 'assistant', system: 'system' }

/** Throws `request.invalid` naming the field. */
export function readMessage(value: JsonValue, index: number): MessageView {
  const path = `messages[${index}]`
  const message = requireObject(value, path)
  const name = requireString(message.role, `${path}.role`)
  const role = Object.hasOwn(roles, name) ? roles[name] : undefined
  if (role === undefined) throw invalid(`${path}.role`, 'it is none of user, assistant, system')
  const texts: string[] = []
  const calls: ToolCallView[] = []
  const results: ToolResultView[] = []
  let isFromUser = false
  for (const [at, block] of requireObjects(message.content, `${path}.content`).entries()) {
    const blockPath = `${path}.content[${at}]`
    const kind = kindOf(block, blockPath)
    if (kind === 'toolUse' && isClientCall(requireObject(block.toolUse, `${blockPath}.toolUse`))) {
      if (role !== 'assistant') throw invalid(blockPath, 'only the assistant makes tool calls')
      const call = readToolUse(block, blockPath)
      if (calls.some((other) => other.id === call.id))
        throw invalid(`${blockPath}.toolUse.toolUseId`, 'another call of the message has this id')
      calls.push(call)
    } else if (kind === 'toolResult' && role === 'user') {
      results.push(readToolResult(requireObject(block.toolResult, `${blockPath}.toolResult`), `${blockPath}.toolResult`))
    } else {
      texts.push(...blockTexts(block, kind, blockPath))
      if (kind !== 'cachePoint') isFromUser = role === 'user'
    }
  }
  return { index, role, text: texts.join('\n'), calls, results, fromUser: isFromUser }
}

/** The system prompt, which stands before the messages: index -1. */
export function readSystem(system: JsonValue | undefined): MessageView | undefined {
  if (isAbsent(system)) return undefined
  return {
    index: -1,
    role: 'system',
    text: textOfBlocks(requireArray(system, 'system'), 'system'),
    calls: [],
    results: [],
    fromUser: false,
  }
}

/** The one member of a block. Two would be read by one reader as this, by another as that. */
function kindOf(block: JsonObject, path: string): string {
  const [kind, ...more] = Object.keys(block).filter((key) => block[key] !== null)
  if (kind === undefined || more.length > 0) throw invalid(path, 'it must have exactly one member')
  return kind
}

/** A block with a call. Throws `request.invalid` naming the field. */
export function readToolUse(block: JsonObject, path: string): ToolCallView {
  const at = `${path}.toolUse`
  const call = requireObject(block.toolUse, at)
  const args = requireObject(call.input, `${at}.input`)
  return {
    id: requireName(call.toolUseId, `${at}.toolUseId`),
    name: requireName(call.name, `${at}.name`),
    args,
    argsText: canonicalJson(args),
  }
}

function readToolResult(result: JsonObject, path: string): ToolResultView {
  const texts = requireObjects(result.content, `${path}.content`).flatMap((part, index) => {
    const at = `${path}.content[${index}]`
    const kind = kindOf(part, at)
    return kind === 'json' ? [canonicalJson(part.json)] : blockTexts(part, kind, at)
  })
  return { callId: requireName(result.toolUseId, `${path}.toolUseId`), text: texts.join('\n'), isError: result.status === 'error' }
}

/** The text of content blocks, joined with newlines; the client's calls and reasoning say nothing here. */
export function textOfBlocks(blocks: readonly JsonValue[], path: string): string {
  return blocks
    .flatMap((item, index) => {
      const at = `${path}[${index}]`
      const block = requireObject(item, at)
      const kind = kindOf(block, at)
      return kind === 'toolUse' && isObject(block.toolUse) && isClientCall(block.toolUse) ? [] : blockTexts(block, kind, at)
    })
    .join('\n')
}

function blockTexts(block: JsonObject, kind: string, path: string): string[] {
  const inner = block[kind]
  switch (kind) {
    case 'text':
      return [requireString(inner, `${path}.text`)]
    case 'image':
    case 'video':
    case 'audio':
      return [mediaDigest(kind, sourceData(inner))]
    case 'document':
      return documentTexts(requireObject(inner, `${path}.document`), `${path}.document`)
    case 'reasoningContent':
    case 'cachePoint':
      return []
    case 'citationsContent':
      // The words of the answer; what they cite is not said by anybody here.
      return isObject(inner) ? textInside(inner.content) : []
    case 'guardContent':
      return isObject(inner) && inner.image !== undefined ? [mediaDigest('image', sourceData(inner.image))] : guardTexts(inner)
    case 'toolAddition':
    case 'toolRemoval':
      throw unsupported(
        `${path}.${kind}`,
        'it changes which tools the model may call where no decision looks',
        'Send the tools in `toolConfig`.',
      )
    case 'toolUse':
      return isObject(inner) ? [`[${typeof inner.name === 'string' ? inner.name : kind} ${canonicalJson(inner.input ?? {})}]`] : []
    default:
      // Results of tools the vendor ran, search results, and blocks newer than this code: every text in them is seen.
      return textInside(inner)
  }
}

function guardTexts(inner: JsonValue | undefined): string[] {
  const text = isObject(inner) && isObject(inner.text) ? inner.text.text : undefined
  return typeof text === 'string' ? [text] : textInside(inner)
}

function documentTexts(document: JsonObject, path: string): string[] {
  const around = [document.name, document.context].filter((value) => typeof value === 'string')
  const source = requireObject(document.source, `${path}.source`)
  if (typeof source.text === 'string') return [...around, source.text]
  if (Array.isArray(source.content)) return [...around, textOfBlocks(source.content, `${path}.source.content`)]
  return [...around, mediaDigest('document', sourceData(document))]
}

function sourceData(medium: JsonValue | undefined): JsonValue | undefined {
  const source = isObject(medium) ? medium.source : undefined
  return isObject(source) ? (source.bytes ?? source.s3Location ?? source) : (source ?? medium)
}
