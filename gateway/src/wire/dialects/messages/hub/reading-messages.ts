/** The system prompt and messages of a messages request in the neutral form. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import { originalId } from '../../../hub/accepted-names.ts'
import type { HubMessage, HubPart } from '../../../hub/conversation.ts'
import { given, objectOf, othersOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import { invalid, requireName, requireObjects } from '../../../request/fields.ts'
import { readDocument, readImage } from './media.ts'
import { originOf, readState } from './marks.ts'

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

/** Parts of a `content`; a text of nothing is none. */
export function readBlocks(content: JsonValue | undefined, field: string): HubPart[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ kind: 'text', text: content, at: field }]
  return requireObjects(content, field).map((block, index) => readBlock(block, `${field}[${index}]`))
}

const textFields: ReadonlySet<string> = new Set(['type', 'text', 'cache_control'])
const callFields: ReadonlySet<string> = new Set(['type', 'id', 'name', 'input', 'cache_control'])
const resultFields: ReadonlySet<string> = new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control'])

function readBlock(block: JsonObject, at: string): HubPart {
  const cache = given(block, 'cache_control')
  switch (block.type) {
    case 'text':
      if (typeof block.text !== 'string') throw invalid(`${at}.text`, 'it must be a string')
      return { kind: 'text', text: block.text, at, cache, extras: { anthropic: othersOf(block, textFields) } }
    case 'image':
      return readImage(block, at)
    case 'document':
      return readDocument(block, at)
    case 'thinking':
      return { kind: 'reasoning', text: stringOf(block.thinking) ?? '', origin: originOf(stringOf(block.signature) ?? '') }
    case 'redacted_thinking': {
      const data = stringOf(block.data) ?? ''
      return readState(data) ?? { kind: 'sealed', family: 'anthropic', data }
    }
    case 'tool_use':
      return {
        kind: 'call',
        id: originalId(requireName(block.id, `${at}.id`)),
        name: requireName(block.name, `${at}.name`),
        args: { value: block.input },
        cache,
        at,
        extras: { anthropic: othersOf(block, callFields) },
      }
    case 'tool_result':
      return {
        kind: 'result',
        callId: originalId(requireName(block.tool_use_id, `${at}.tool_use_id`)),
        content: readBlocks(block.content, `${at}.content`),
        isError: block.is_error === true,
        cache,
        at: `${at}.tool_use_id`,
        extras: { anthropic: othersOf(block, resultFields) },
      }
    default: {
      const text = block.type === 'search_result' ? searchResultText(block) : undefined
      return { kind: 'native', family: 'anthropic', called: `a block of type ${tag(block.type)}`, value: block, text, isCall: false, at }
    }
  }
}

/** A search result in words: its title and source are what a citation would show. */
function searchResultText(block: JsonObject): string {
  const texts = Array.isArray(block.content) ? block.content.map((item) => stringOf(objectOf(item)?.text) ?? '') : []
  const title = [stringOf(block.title), stringOf(block.source)].filter((item) => item !== undefined).join(' - ')
  return title === '' ? texts.join('\n') : `[${title}]\n${texts.join('\n')}`
}
