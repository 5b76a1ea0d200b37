/**
 * Results that no model reads: kept sealed for as long as their session may go on, found by a handle that nobody can guess, in the
 * conversations it was shown in and nowhere else. The same result of the same call has the same handle, so that a conversation
 * which is sent again reads the same.
 */
import { sha256, keyedHash } from '../../core/hash.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { labelFromRecord, labelRecord } from '../../policy/label.ts'
import type { Label } from '../../policy/types.ts'
import type { LabelRecord } from '@turnward/contract/decision'
import type { HandleUse } from '../../state/state-values.ts'
import type { AttachedCall } from '../call.ts'
import { seal, unseal } from '../keeping/sealing.ts'
import type { Services } from '../services.ts'
import { forCall } from '../state-of-call.ts'
import { handleId, handleText, readHandle } from './handle-text.ts'

/** A result as it is withheld. */
export interface WithheldResult {
  /** The tool it is a result of. */
  readonly from: string
  /** Its words, up to what is kept of one. */
  readonly text: string
  /** SHA-256 (hex) of all of its words. */
  readonly digest: string
  /** What it would have added to a label. */
  readonly label: Label
  /** What a bounded answer about it adds. */
  readonly answers: Label
}

type Owner = Pick<AttachedCall, 'services' | 'snapshot' | 'caller'>

/** Sessions one handle may be shown in; the newest count. */
const mostSessions = 64

/** The handle of a result: of its owner, the tool, the call and its words. */
export function handleOf({ services, caller }: Owner, { from, call, digest }: { from: string; call: string; digest: string }): string {
  return handleId(keyedHash(services.secret, 'handle', caller.principal.id, caller.consumer ?? '', from, call, digest))
}

/** Keeps a result, and says what stands in its place. `call`: what the call is known by wherever its result is seen. */
export async function withholdResult(
  call: AttachedCall,
  {
    from,
    id,
    text,
    label,
    answers,
  }: { readonly from: string; readonly id: string; readonly text: string; readonly label: Label; readonly answers: Label },
): Promise<StandingHandle> {
  const { services, snapshot, session } = call
  const digest = sha256(text)
  const handle = handleOf(call, { from, call: id, digest })
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  const bytes = Buffer.byteLength(text)
  const kept = keptOf(text, snapshot.settings.quarantine?.max_result_bytes ?? 0)
  const content = {
    from,
    text: kept,
    digest,
    label: labelRecord(label, snapshot.policy),
    answers: labelRecord(answers, snapshot.policy),
  }
  const key = keyOf(call, handle)
  await services.state.put('withheld', key, { sealed: seal(services.secret, key, Buffer.from(JSON.stringify(content))) }, expires)
  const use = await services.state.change('handle', key, (before) => {
    const value = shownIn(before, session.id)
    return { value, expires, result: value }
  })
  await services.sessions.change(session, (state) => [state.hasWithheld ? state : { ...state, hasWithheld: true }, undefined])
  return { id: handle, text: handleText({ id: handle, bytes, from }), beside: besideOf(use) }
}

/** What a handle stands for in this conversation; undefined when it is none of it. */
export async function withheldResult(call: AttachedCall, handle: string): Promise<WithheldResult | undefined> {
  const { services, snapshot, session } = call
  const key = keyOf(call, handle)
  const use = await services.state.get('handle', key)
  if (use === undefined || !use.sessions.includes(session.id)) return undefined
  const value = await services.state.get('withheld', key)
  const bytes = value === undefined ? undefined : unseal(services.secret, key, value.sealed)
  const content = bytes === undefined ? undefined : parseJson(bytes.toString('utf8'))
  if (!isObject(content)) return undefined
  const { from, text, digest, label, answers } = content as JsonObject & { from: string; text: string; digest: string }
  const labelOf = (record: unknown): Label => labelFromRecord(record as LabelRecord, snapshot.policy)
  return { from, text, digest, label: labelOf(label), answers: labelOf(answers) }
}

/** What stands in the place of a result that was withheld when it was read first; undefined when it was not. */
export async function standsFor(
  call: AttachedCall,
  result: { readonly from: string; readonly call: string; readonly digest: string; readonly bytes: number },
): Promise<string | undefined> {
  const { services, session } = call
  const id = handleOf(call, result)
  const use = await services.state.get('handle', keyOf(call, id))
  if (use === undefined) return undefined
  // A branch of its conversation: it may be asked about here as well.
  if (!use.sessions.includes(session.id)) await changeUse(call, id, (now) => [shownIn(now, session.id), undefined])
  return handleText({ id, bytes: result.bytes, from: result.from }) + besideOf(use)
}

/** Handles that stand in a conversation mean there what they mean where they were shown first. Asked for what the gateway itself has put there only. */
export async function noteShown(call: AttachedCall, handles: readonly { readonly id: string }[]): Promise<void> {
  const { services, session } = call
  for (const { id } of handles) {
    const use = await services.state.get('handle', keyOf(call, id))
    if (use === undefined || use.sessions.includes(session.id)) continue
    await changeUse(call, id, (now) => [shownIn(now, session.id), undefined])
  }
  await services.sessions.change(session, (state) => [state.hasWithheld ? state : { ...state, hasWithheld: true }, undefined])
}

/** A handle of this conversation that stands in the place of a result, with what stands beside it or without. */
export interface StandingHandle {
  readonly id: string
  /** As it is written. */
  readonly text: string
  /** What stands beside it wherever it is shown, if that is known. */
  readonly beside: string
}

/** Undefined for a text that is anything more. */
export async function standingHandle(call: AttachedCall, text: string): Promise<StandingHandle | undefined> {
  const end = text.indexOf('\n')
  const line = end < 0 ? text : text.slice(0, end)
  const handle = readHandle(line)
  if (handle === undefined || handle.slice !== undefined) return undefined
  const use = await call.services.state.get('handle', keyOf(call, handle.id))
  const beside = besideOf(use)
  if (use?.sessions.includes(call.session.id) !== true || (end >= 0 && text.slice(end) !== beside)) return undefined
  return { id: handle.id, text: line, beside }
}

function besideOf(use: HandleUse | undefined): string {
  return typeof use?.beside === 'string' ? use.beside : ''
}

/** Changes what has been learnt of what a handle stands for, in one step. */
export function changeUse<R>(call: AttachedCall, handle: string, change: (use: HandleUse) => readonly [HandleUse, R]): Promise<R> {
  const { services, snapshot } = call
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  return Promise.resolve(
    services.state.change('handle', keyOf(call, handle), (before) => {
      const [value, result] = change(before ?? unused)
      return { value, expires, result }
    }),
  )
}

const unused: HandleUse = { sessions: [], answers: {}, bits: 0 }

function shownIn(before: HandleUse | undefined, session: string): HandleUse {
  const use = before ?? unused
  return use.sessions.includes(session) ? use : { ...use, sessions: [...use.sessions, session].slice(-mostSessions) }
}

/** What a handle stands for, for the person it was withheld for, whatever conversation it was in. */
export async function withheldFor(
  services: Services,
  { person, consumer }: { readonly person: string; readonly consumer: string },
  handle: string,
): Promise<{ readonly from: string; readonly text: string } | undefined> {
  const { state } = forCall(services, { principal: { id: person } })
  const key = keyFor(services.secret, person, consumer, handle)
  const value = await state.get('withheld', key)
  const bytes = value === undefined ? undefined : unseal(services.secret, key, value.sealed)
  const content = bytes === undefined ? undefined : parseJson(bytes.toString('utf8'))
  return isObject(content) ? { from: asText(content.from), text: asText(content.text) } : undefined
}

/** Another principal with the same handle finds nothing. */
function keyOf({ services, caller }: Owner, handle: string): string {
  return keyFor(services.secret, caller.principal.id, caller.consumer ?? '', handle)
}

function keyFor(secret: Services['secret'], principal: string, consumer: string, handle: string): string {
  return keyedHash(secret, 'withheld', principal, consumer, handle)
}

/** The beginning of a text that has at most so many bytes, without half a character. */
function keptOf(text: string, mostBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= mostBytes) return text
  return bytes
    .subarray(0, mostBytes)
    .toString('utf8')
    .replace(/\uFFFD$/, '')
}
