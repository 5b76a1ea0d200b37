/** The system prompt and messages of a Converse request in the neutral form. */
import { canonicalJson, type JsonObject, type JsonValue } from '../../../../core/json.ts'
import { originalId } from '../../../hub/accepted-names.ts'
import type { HubMessage, HubPart } from '../../../hub/conversation.ts'
import { objectOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import { invalid, requireName, requireObject, requireObjects } from '../../../request/fields.ts'
import { isClientCall } from '../tools.ts'
import { readCachePoint } from './cache-points.ts'
import { readMedia } from './media.ts'
import { readReasoning } from './reasoning.ts'

/** Throws `request.invalid` naming the message or block. */
export function readMessages(body: JsonObject): HubMessage[] {
  const messages = requireObjects(body.messages, 'messages').map((message, index): HubMessage => {
    const { role } = message
    const at = `messages[${index}]`
    if (role !== 'user' && role !== 'assistant' && role !== 'system') throw invalid(`${at}.role`, 'it must be user, assistant or system')
    return { role, parts: readBlocks(message.content, `${at}.content`), index, at }
  })
  const system = readBlocks(body.system, 'system')
  return system.length === 0 ? messages : [{ role: 'system', parts: system, index: -1, at: 'system' }, ...messages]
}

function readBlocks(content: JsonValue | undefined, field: string): HubPart[] {
  if (content === undefined || content === null) return []
  const parts: HubPart[] = []
  for (const [index, block] of requireObjects(content, field).entries()) {
    const last = parts.at(-1)
    if (block.cachePoint === undefined) parts.push(...readBlock(block, `${field}[${index}]`))
    else if (last !== undefined && 'cache' in last) parts[parts.length - 1] = { ...last, cache: readCachePoint(block.cachePoint) }
  }
  return parts
}

function readBlock(block: JsonObject, at: string): HubPart[] {
  const cache = undefined
  const [kind = ''] = Object.keys(block)
  const inner = objectOf(block[kind]) ?? {}
  switch (kind) {
    case 'text':
      if (typeof block.text !== 'string') throw invalid(`${at}.text`, 'it must be a string')
      return [{ kind: 'text', text: block.text, at, cache }]
    case 'image':
    case 'document':
      return [{ ...readMedia(kind, inner, `${at}.${kind}`), cache }]
    case 'reasoningContent':
      return readReasoning(inner)
    case 'citationsContent':
      return [{ kind: 'text', text: textsOf(inner.content), at, cache }]
    case 'toolUse':
      if (!isClientCall(inner)) return [native(block, kind, at)]
      return [
        {
          kind: 'call',
          id: originalId(requireName(inner.toolUseId, `${at}.toolUse.toolUseId`)),
          name: requireName(inner.name, `${at}.toolUse.name`),
          args: { value: inner.input },
          at,
          cache,
        },
      ]
    case 'toolResult':
      return [
        {
          kind: 'result',
          callId: originalId(requireName(inner.toolUseId, `${at}.toolResult.toolUseId`)),
          content: readResult(inner.content, `${at}.toolResult.content`),
          isError: inner.status === 'error',
          at: `${at}.toolResult.toolUseId`,
          cache,
        },
      ]
    default:
      return [native(block, kind, at)]
  }
}

/** A value is told as JSON where there is only text. */
function readResult(content: JsonValue | undefined, field: string): HubPart[] {
  return requireObjects(content, field).flatMap((part, index) => {
    const at = `${field}[${index}]`
    return part.json === undefined ? readBlock(requireObject(part, at), at) : [{ kind: 'text', text: canonicalJson(part.json), at }]
  })
}

function native(block: JsonObject, kind: string, at: string): HubPart {
  return { kind: 'native', family: 'aws', called: `a block of type ${tag(kind)}`, value: block, isCall: false, at }
}

function textsOf(content: JsonValue | undefined): string {
  return (Array.isArray(content) ? content : []).map((item) => stringOf(objectOf(item)?.text) ?? '').join('')
}
