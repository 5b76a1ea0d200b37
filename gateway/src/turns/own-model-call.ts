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
import type { Label } from '../policy/types.ts'
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
  readonly signal: CancelSignal
}

/** Resolves with the answer, in the form of Messages, or with the code of why there is none. Rejects when nobody waits any more. */
export async function askOwnModel(
  services: Services,
  call: Pick<AttachedCall, 'snapshot' | 'session' | 'turn'>,
  { caller, body, label, source, granted, signal }: OwnModelCall,
): Promise<{ readonly answer: JsonObject } | { readonly failed: string }> {
  const asking = memoryCall({
    caller,
    body,
    ...(granted === undefined ? {} : { granted }),
    headers: { 'x-turnward-session': await beginSession(services, call, caller, label, source), 'anthropic-version': '2023-06-01' },
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

function codeOf({ error }: JsonObject): string {
  const code = isObject(error) ? (error.code ?? error.type) : undefined
  return typeof code === 'string' && /^[a-z_.]{1,64}$/.test(code) ? code : 'upstream.error'
}

async function beginSession(
  services: Services,
  { snapshot, session, turn }: Pick<AttachedCall, 'snapshot' | 'session' | 'turn'>,
  caller: Caller,
  label: Label,
  source: string,
): Promise<string> {
  const own = forCall(services, caller)
  const begin = withLabel(await beginning(own, snapshot, caller.principal), label)
  const fields = { id: newId('ses'), principal: caller.principal.id, consumer: caller.consumer, source, parent: session.id, turn }
  const { id } = await own.sessions.create({ ...fields, ...begin }, snapshot.policy, snapshot.settings.turns.session_idle_ms)
  // A session that cannot be found would begin anew, as one that has read nothing.
  await settleState(own)
  return id
}
