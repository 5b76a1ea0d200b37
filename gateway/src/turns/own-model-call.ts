/**
 * A model call that the gateway makes for itself, in a conversation of its own that nobody goes on with: what the conversation it
 * is made for has read counts there too. It takes the life of any model call, so it is decided, limited and on record.
 */
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import type { CancelSignal } from '../core/cancellation.ts'
import { newId } from '../core/ids.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { parseJson } from '../core/parse-json.ts'
import type { Caller } from '../core/principal.ts'
import type { EffectLedger, Label } from '../policy/types.ts'
import type { AttachedCall } from './call.ts'
import { memoryCall } from './origins/memory-origin.ts'
import type { Services } from './services.ts'
import { beginning, withLabel } from './sessions/fresh-state.ts'
import { forCall, settleState } from './state-of-call.ts'

export interface OwnModelCall {
  /** For whom it is made, and why. */
  readonly caller: Caller
  /** A request in the form of Messages. */
  readonly body: JsonObject
  /** What the conversation begins with. */
  readonly label: Label
  /** What kind of conversation it is: `sampling`, `quarantine`. */
  readonly source: string
  /** What allows the model, where the configuration has chosen it; absent: a grant of the caller. */
  readonly granted?: string
  /** A model call that runs waits for it (`CallOrigin.isWithin`). */
  readonly isWithin?: boolean
  readonly signal: CancelSignal
}

type Answered = { readonly answer: JsonObject } | { readonly failed: string }

/** Resolves with the answer, in the form of Messages, or with the code of why there is none. Rejects when nobody waits any more. */
export async function askOwnModel(
  services: Services,
  call: Pick<AttachedCall, 'snapshot' | 'session' | 'turn'>,
  { label, source, ...asked }: OwnModelCall,
): Promise<Answered> {
  return askInSession(services, call, await beginOwnSession(services, call, asked.caller, { label, source }), asked)
}

/** The same in a session that has begun (`beginOwnSession`), which goes on with it. */
export async function askInSession(
  services: Services,
  call: Pick<AttachedCall, 'snapshot'>,
  session: string,
  { caller, body, granted, isWithin = false, signal }: Omit<OwnModelCall, 'label' | 'source'>,
): Promise<Answered> {
  const asking = memoryCall({
    caller,
    body,
    ...(granted === undefined ? {} : { granted }),
    isWithin,
    headers: { 'x-turnward-session': session, 'anthropic-version': '2023-06-01' },
    maxBytes: call.snapshot.settings.limits.max_response_bytes,
    signal,
  })
  const answer = asking.answer.catch(asTurnwardError)
  await services.callModel(asking.origin)
  const answered = await answer
  if (signal.aborted) throw asTurnwardError(signal.reason)
  if (answered instanceof TurnwardError) return { failed: answered.code }
  const parsed = parseJson(answered.body.toString('utf8'))
  if (!isObject(parsed)) return { failed: 'upstream.invalid_response' }
  return answered.status >= 400 ? { failed: codeOf(parsed) } : { answer: parsed }
}

/** The code in the body of an error. */
export function codeOf({ error }: JsonObject): string {
  const code = isObject(error) ? (error.code ?? error.type) : undefined
  return typeof code === 'string' && /^[a-z_.]{1,64}$/.test(code) ? code : 'upstream.error'
}

/** What a session of the gateway's own begins with. */
export interface OwnSession {
  readonly label: Label
  readonly source: string
  /** What has been done before it; absent: nothing. */
  readonly effects?: EffectLedger
}

/** Its id. */
export async function beginOwnSession(
  services: Services,
  { snapshot, session, turn }: Pick<AttachedCall, 'snapshot' | 'session' | 'turn'>,
  caller: Caller,
  { label, source, effects }: OwnSession,
): Promise<string> {
  const own = forCall(services, caller)
  const begin = withLabel(await beginning(own, snapshot, caller.principal), label)
  const fields = { id: newId('ses'), principal: caller.principal.id, consumer: caller.consumer, source, parent: session.id, turn }
  const policyState = effects === undefined ? begin.policyState : { ...begin.policyState, effects }
  const { id } = await own.sessions.create({ ...fields, ...begin, policyState }, snapshot.policy, snapshot.settings.turns.session_idle_ms)
  // A session that cannot be found would begin anew, as one that has read nothing.
  await settleState(own)
  return id
}
