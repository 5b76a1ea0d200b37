/**
 * What results of a session had in them, for calls that come without the conversation: at the MCP endpoint nobody presents one,
 * and a conversation may have been cut short. Keyed hashes of whole values (leaves of JSON, addresses, numbers, ids), bounded,
 * and of trusted results only: what is found nowhere has the label of the session anyway.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { labelFromRecord, labelRecord } from '../../policy/label.ts'
import type { Label, Policy } from '../../policy/types.ts'
import { normalText, seam } from '../../policy/values/normal-text.ts'
import { soughtValue } from '../../policy/values/sought-value.ts'
import { whenRead, type MaybePromise } from '../../state/state-store.ts'
import type { AttachedCall } from '../call.ts'
import { printLength, printOf } from './value-prints.ts'
import { textsIn } from './words-of-call.ts'

/** Values of one result, and of all results of a session, that are remembered; the oldest results fall off. */
const mostOfResult = 256
const mostOfSession = 2048
const longestValue = 256
/** Of a longer text, what is beyond is not looked at. */
const longestText = 200_000
const chunk = /[^\s"'<>()[\]{}|`,;\0]+/g
const account = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b/g

type Owner = Pick<AttachedCall, 'services' | 'snapshot' | 'session'>

const tracing = new WeakMap<Policy, boolean>()

/** Whether any contract asks where values come from. */
export function tracesValues(policy: Policy): boolean {
  let traces = tracing.get(policy)
  if (traces === undefined) tracing.set(policy, (traces = (policy.contracts ?? []).some(({ args }) => args !== undefined)))
  return traces
}

/** Remembers the values of a result under its label. What the call itself had in its arguments is no word of the tool. */
export async function rememberValues(call: Owner, result: readonly JsonValue[], label: Label, args: JsonObject): Promise<void> {
  const { services, snapshot, session } = call
  if (!tracesValues(snapshot.policy) || label.trust === 0) return
  const own = normalText(textsIn(args).join(seam))
  const values = [...valuesOf(result)].filter((value) => !soughtValue(value).isIn(own))
  if (values.length === 0) return
  const prints = values.map((value) => printOf(services.secret, session.id, value)).join('')
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  await services.state.change('values', session.id, (before) => {
    const results = [...(before?.results ?? []), { label: labelRecord(label, snapshot.policy), prints }]
    let size = 0
    const first = results.findLastIndex((one) => (size += one.prints.length / printLength) > mostOfSession)
    return { value: { results: results.slice(first + 1) }, expires, result: undefined }
  })
}

/** The labels of the results of this session that had a value. */
export function rememberedLabels({ services, snapshot, session }: Owner, value: string): MaybePromise<readonly Label[]> {
  return whenRead(services.state.get('values', session.id), (remembered) => {
    if (remembered === undefined) return []
    const print = printOf(services.secret, session.id, value)
    return remembered.results.filter(({ prints }) => has(prints, print)).map(({ label }) => labelFromRecord(label, snapshot.policy))
  })
}

function has(prints: string, print: string): boolean {
  for (let at = prints.indexOf(print); at !== -1; at = prints.indexOf(print, at + 1)) if (at % printLength === 0) return true
  return false
}

function valuesOf(parts: readonly JsonValue[]): ReadonlySet<string> {
  const found = new Set<string>()
  for (const part of parts) collect(part, 32, found)
  return found
}

function collect(value: JsonValue, depth: number, found: Set<string>): void {
  if (depth === 0 || value === null || found.size >= mostOfResult) return
  if (Array.isArray(value)) for (const item of value) collect(item, depth - 1, found)
  else if (isObject(value)) for (const item of Object.values(value)) collect(item, depth - 1, found)
  else if (typeof value === 'string') readText(value, depth, found)
  else found.add(String(value))
}

function readText(text: string, depth: number, found: Set<string>): void {
  if (text.length <= longestValue && text.trim() !== '') found.add(text)
  const json = /^\s*[[{]/.test(text) ? parsed(text) : undefined
  if (json !== undefined) return collect(json, depth - 1, found)
  const read = text.slice(0, longestText)
  for (const [one] of read.matchAll(account)) if (found.size < mostOfResult) found.add(one)
  for (const [piece] of read.matchAll(chunk)) {
    if (found.size >= mostOfResult) return
    const one = piece.replace(/[.:!?*_]+$/, '')
    if (one.length <= longestValue && /[@\d]|:\/\/|.\../.test(one)) found.add(one)
  }
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}
