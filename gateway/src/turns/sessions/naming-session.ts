/** Sessions that a caller names: by our own id, which we return, or by a name of its own. Nobody can name a session of someone else. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Caller } from '../../core/principal.ts'
import { RememberedHashes } from '../../core/remembered-hashes.ts'
import type { Label } from '../../policy/types.ts'
import type { Session } from '../../state/sessions.ts'
import type { Services } from '../services.ts'
import { beginning, withLabel } from './fresh-state.ts'

/** A name for a session and who gave it. */
export interface SessionName {
  /** `header`, or the client whose own id it is. */
  readonly source: string
  readonly value: string
}

const sessionIds = new RememberedHashes()

/** A session id that only this principal and consumer can arrive at. */
export function sessionIdFor(secret: Uint8Array, caller: Caller, { source, value }: SessionName): string {
  return `ses_${sessionIds.of(secret, 'session', caller.principal.id, caller.consumer ?? '', source, value).slice(0, 22)}`
}

const sessionHeader = 'x-turnward-session'

/** The session a caller names itself. Throws `request.invalid` for a value that could not be meant. */
export function namedSession(headers: IncomingHttpHeaders): SessionName | undefined {
  const value = headers[sessionHeader]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(value)) {
    throw new TurnwardError('request.invalid', { subject: sessionHeader, why: 'use 1-200 visible ASCII characters' })
  }
  return { source: 'header', value }
}

/** The session with this name, begun now when there is none yet, with the label of its parent unless another is given. Our own id of a session of the same principal and consumer means that session. */
export async function sessionNamed(
  services: Services,
  snapshot: Snapshot,
  caller: Caller,
  name: SessionName,
  parent: Session | null = null,
  label: Label | undefined = parent?.policyState.label,
): Promise<Session> {
  const idle = snapshot.settings.turns.session_idle_ms
  if (name.source === 'header' && name.value.startsWith('ses_')) {
    const own = await services.sessions.find(name.value, snapshot.policy, idle)
    if (own !== undefined && own.state.principal === caller.principal.id && own.state.consumer === caller.consumer) return own
  }
  const id = sessionIdFor(services.secret, caller, name)
  const found = await services.sessions.find(id, snapshot.policy, idle)
  if (found !== undefined) return found
  const begin = withLabel(await beginning(services, snapshot, caller.principal), label)
  return services.sessions.create(
    { id, principal: caller.principal.id, consumer: caller.consumer, source: name.source, parent: parent?.id ?? null, ...begin },
    snapshot.policy,
    idle,
  )
}
