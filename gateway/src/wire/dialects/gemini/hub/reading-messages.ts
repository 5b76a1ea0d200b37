/** The contents of a Gemini request in the neutral form: calls get ids that no other call of the conversation has. */
import { isObject, type JsonObject } from '../../../../core/json.ts'
import type { HubMessage, HubPart } from '../../../hub/conversation.ts'
import { objectOf } from '../../../hub/loose-fields.ts'
import { invalid, isAbsent, requireObject, requireObjects } from '../../../request/fields.ts'
import { idsOfParts, partsOf } from '../calls.ts'
import { ContentReader } from '../views.ts'
import { readOther } from './media.ts'
import { PartReader } from './parts.ts'

export function readMessages(body: JsonObject): HubMessage[] {
  const messages: HubMessage[] = []
  const system = body.systemInstruction
  if (!isAbsent(system)) {
    const texts =
      typeof system === 'string'
        ? [{ text: system }]
        : requireObjects(requireObject(system, 'systemInstruction').parts, 'systemInstruction.parts')
    const parts = texts.map((part, at): HubPart => {
      if (typeof part.text !== 'string') throw invalid(`systemInstruction.parts[${at}]`, 'it must be text')
      return { kind: 'text', text: part.text, at: `systemInstruction.parts[${at}]` }
    })
    messages.push({ role: 'system', parts, index: -1, at: 'systemInstruction' })
  }
  const names = new CallNames()
  const views = new ContentReader([], true)
  for (const [index, value] of requireObjects(body.contents, 'contents').entries()) {
    views.read(value, index)
    const at = `contents[${index}]`
    const parts = partsOf(value)
    if (value.role === 'model') {
      const calls = views.views.at(-1)?.calls ?? []
      const ids = names.begin(
        calls.map(({ id }) => id),
        idsOfParts(parts).size,
      )
      const reader = new PartReader({ idOf: () => ids.shift() ?? '', other: readOther, signatures: 'drop', upstream: undefined })
      const read = parts.flatMap((part, place) => reader.read(part, `${at}.parts[${place}]`))
      messages.push({ role: 'assistant', parts: [...read, ...reader.end()], index, at })
      continue
    }
    const results = [...(views.views.at(-1)?.results ?? [])]
    const read = parts.flatMap((part, place): HubPart[] => {
      const field = `${at}.parts[${place}]`
      if (isObject(part.functionResponse)) return [readResult(part.functionResponse, names.of(results.shift()?.callId ?? ''), field)]
      return typeof part.text === 'string' ? [{ kind: 'text', text: part.text, at: `${field}.text` }] : readOther(part, field)
    })
    messages.push({ role: 'user', parts: read, index, at })
  }
  return messages
}

/** Ids of one message may come again in another; here each call of the conversation has its own. */
class CallNames {
  readonly #used = new Set<string>()
  readonly #now = new Map<string, string>()

  /** The last `count` calls of a message with these ids. */
  begin(ids: readonly string[], count: number): string[] {
    return ids.slice(ids.length - count).map((id) => {
      let name = id
      for (let number = 1; this.#used.has(name); number += 1) name = `${id}_${number}`
      this.#used.add(name)
      this.#now.set(id, name)
      return name
    })
  }

  of(id: string): string {
    return this.#now.get(id) ?? id
  }
}

function readResult(result: JsonObject, callId: string, at: string): HubPart {
  const response = objectOf(result.response) ?? {}
  const keys = Object.keys(response)
  const [only] = keys
  const value = keys.length === 1 && only !== undefined && ['output', 'result', 'error'].includes(only) ? response[only] : response
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null)
  const isError = !isAbsent(response.error)
  const media = requireObjects(result.parts ?? [], `${at}.functionResponse.parts`).flatMap((part) => readOther(part, at))
  return {
    kind: 'result',
    callId,
    content: [...(text === '' ? [] : [{ kind: 'text' as const, text, at }]), ...media],
    isError,
    at: `${at}.functionResponse`,
  }
}
