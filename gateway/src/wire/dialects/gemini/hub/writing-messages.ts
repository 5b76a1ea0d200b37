/** The contents of a Gemini request from the neutral form. The answers to calls come first in what the user says after them. */
import type { JsonObject } from '../../../../core/json.ts'
import { argumentsObject } from '../../../hub/call-arguments.ts'
import type { HubMessage, HubPart, HubResult, HubState } from '../../../hub/conversation.ts'
import { tagOf } from '../../../hub/tags.ts'
import { invalid, unsupported } from '../../../request/fields.ts'
import { isMadeId } from '../calls.ts'
import { needsSignatures, withSignedCall } from '../signatures.ts'
import { writeMedia } from './media.ts'
import { signatureIn } from './parts.ts'
import { geminiName } from './tools.ts'

export interface Conversation {
  readonly system: JsonObject[]
  readonly contents: JsonObject[]
}

interface Turn {
  readonly role: 'user' | 'model'
  readonly parts: JsonObject[]
}

/** Where a conversation goes: what another upstream (`upstream` is a tag) hung on calls stays out of it. */
interface Target {
  readonly model: string
  readonly upstream: string | undefined
}

/** Throws `request.invalid` / `request.unsupported`. */
export function writeConversation(messages: readonly HubMessage[], { model, upstream }: Target): Conversation {
  const system: JsonObject[] = []
  const turns: Turn[] = []
  const names = new Map<string, string>()
  const add = (role: Turn['role'], parts: readonly JsonObject[]): void => {
    const last = turns.at(-1)
    if (parts.length === 0) return
    if (last?.role !== role) turns.push({ role, parts: [...parts] })
    else if (role === 'model') last.parts.push(...parts)
    else {
      const results = parts.filter(isResult)
      last.parts.splice(last.parts.findLastIndex(isResult) + 1, 0, ...results)
      last.parts.push(...parts.filter((part) => !isResult(part)))
    }
  }
  for (const { role, parts, index } of messages) {
    if (role === 'system') system.push(...systemParts(parts, turns.length > 0 ? index : undefined))
    else if (role === 'user')
      add(
        'user',
        parts.flatMap((part) => (part.kind === 'result' ? writeResult(part, names) : userParts(part))),
      )
    else {
      const written = modelParts(parts, names, upstream)
      if (turns.length === 0 && written.length > 0) add('user', [{ text: '(no content)' }])
      add('model', written)
    }
  }
  if (turns.length === 0) {
    const moved = system.pop()
    if (moved === undefined) throw invalid('messages', 'it holds nothing to answer')
    add('user', [moved])
  }
  const signs = needsSignatures(model)
  return { system, contents: turns.map(({ role, parts }) => ({ role, parts: signs && role === 'model' ? withSignedCall(parts) : parts })) }
}

function isResult(part: JsonObject): boolean {
  return part.functionResponse !== undefined
}

/** Instructions given later move to the front with a note of where they stood: as words of the user they would lose their authority. */
function systemParts(parts: readonly HubPart[], index: number | undefined): JsonObject[] {
  return parts.flatMap((part, at) => {
    if (part.kind !== 'text') throw noCounterpart(part)
    if (part.text.trim() === '') return []
    return [{ text: index === undefined || at > 0 ? part.text : `[Added after message ${index} of the conversation]\n${part.text}` }]
  })
}

function modelParts(parts: readonly HubPart[], names: Map<string, string>, upstream: string | undefined): JsonObject[] {
  const states = parts.filter((part) => part.kind === 'state').filter((state) => isOf(state, upstream))
  const written = parts.flatMap((part): JsonObject[] => {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return part.text === '' ? [] : [{ text: part.text }]
      case 'call': {
        const name = geminiName(part.name, part.at)
        names.set(part.id, name)
        const tag = tagOf(part.id)
        const state = states.find(({ call }) => call === tag)
        const signature = state === undefined ? undefined : signatureIn(state)
        const id = isMadeId(part.id) ? {} : { id: part.id }
        return [
          {
            functionCall: { ...id, name, args: argumentsObject(part.args) },
            ...(signature === undefined ? {} : { thoughtSignature: signature }),
          },
        ]
      }
      case 'native':
        if (part.family === 'google') return [part.value]
        throw noCounterpart(part)
      case 'media':
      case 'result':
        throw noCounterpart(part)
      default:
        // Thoughts need not come back; their signatures hang on what followed them.
        return []
    }
  })
  const own = states.find(({ call }) => call === undefined)
  const signature = own === undefined ? undefined : signatureIn(own)
  const last = written.findLast((part) => part.text !== undefined)
  if (signature !== undefined && last !== undefined) last.thoughtSignature = signature
  return written
}

function isOf(state: HubState, upstream: string | undefined): boolean {
  return state.upstream === undefined || upstream === undefined || state.upstream === upstream
}

function userParts(part: HubPart): JsonObject[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ text: part.text }]
    case 'media':
      return writeMedia(part, userParts)
    case 'native':
      if (part.family === 'google') return [part.value]
      if (part.text !== undefined) return [{ text: part.text }]
      throw noCounterpart(part)
    case 'reasoning':
    case 'sealed':
    case 'state':
      return []
    default:
      throw noCounterpart(part)
  }
}

/** Media of a result follow it, under a line that names the call: most models take them nowhere else. */
function writeResult(result: HubResult, names: ReadonlyMap<string, string>): JsonObject[] {
  const written = result.content.flatMap(userParts)
  const texts = written.flatMap((part) => (typeof part.text === 'string' ? [part.text] : []))
  const media = written.filter((part) => part.text === undefined)
  const name = names.get(result.callId) ?? ''
  const id = isMadeId(result.callId) ? {} : { id: result.callId }
  const response = { functionResponse: { ...id, name, response: { [result.isError ? 'error' : 'output']: texts.join('\n') } } }
  return media.length === 0 ? [response] : [response, { text: `[Media from the result of a call of ${name}]` }, ...media]
}

function noCounterpart(part: HubPart): Error {
  const at = 'at' in part ? part.at : 'messages'
  const called = part.kind === 'native' ? part.called : `a part of type ${part.kind}`
  return unsupported(at, `${called} has no counterpart in the Gemini API here`)
}
