/**
 * Results that no model reads: kept sealed for as long as their session may go on, found by a handle that nobody can guess, in the
 * conversations it was shown in and nowhere else. The same result of the same call has the same handle, so that a conversation
 * which is sent again reads the same.
 */
import { sha256, keyedHash } from '../../core/hash.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { labelFromRecord, labelRecord } from '../../policy/label.ts'
import type { Label } from '../../policy/types.ts'
import type { LabelRecord } from '@turnward/contract/decision'
import type { HandleUse } from '../../state/state-values.ts'
import type { AttachedCall } from '../call.ts'
import { seal, unseal } from '../keeping/sealing.ts'
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
): Promise<string> {
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
  await services.state.change('handle', key, (before) => ({ value: shownIn(before, session.id), expires, result: undefined }))
  await services.sessions.change(session, (state) => [state.hasWithheld ? state : { ...state, hasWithheld: true }, undefined])
  return handleText({ id: handle, bytes, from })
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
  return handleText({ id, bytes: result.bytes, from: result.from })
}

/** Whether a text is nothing but a handle of this conversation. */
export async function isHandle(call: AttachedCall, text: string): Promise<boolean> {
  const handle = readHandle(text)
  if (handle === undefined || handle.slice !== undefined) return false
  const use = await call.services.state.get('handle', keyOf(call, handle.id))
  return use?.sessions.includes(call.session.id) === true
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

/** Another principal with the same handle finds nothing. */
function keyOf({ services, caller }: Owner, handle: string): string {
  return keyedHash(services.secret, 'withheld', caller.principal.id, caller.consumer ?? '', handle)
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
