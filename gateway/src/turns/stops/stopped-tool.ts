/** The verdict on a call that an administrator has stopped: in every posture, whatever the policy says of it. */
import type { Caller } from '../../core/principal.ts'
import type { SessionState } from '../../state/sessions.ts'
import type { StopKind } from '../../store/stops.ts'
import type { ToolSubject, Verdict } from '../../policy/types.ts'
import type { AttachedCall } from '../call.ts'
import type { Services } from '../services.ts'
import { stopped } from './stops.ts'

/** What of a call stops are looked up by. */
interface StoppableCall {
  readonly services: Pick<Services, 'stops'>
  readonly caller: Pick<Caller, 'principal' | 'actors'>
  readonly session: { readonly state: Pick<SessionState, 'id' | 'parent'> }
}

/** Undefined where nothing stands in the way. */
export function stoppedVerdict(
  { services, caller, session }: StoppableCall,
  ...tools: readonly Pick<ToolSubject, 'name' | 'server'>[]
): Verdict | undefined {
  const { now } = services.stops
  if (now.all.length === 0) return undefined
  const kind =
    now.ofCaller(caller) ?? now.ofSession(session.state) ?? tools.map((tool) => now.ofTool(tool)).find((one) => one !== undefined)
  return kind === undefined ? undefined : verdictOn(kind)
}

/** Throws `stop.stopped`. */
export function requireSession({ stops }: Pick<Services, 'stops'>, { state }: AttachedCall['session']): void {
  const kind = stops.now.ofSession(state)
  if (kind !== undefined) throw stopped(kind)
}

function verdictOn(kind: StopKind): Verdict {
  return {
    verdict: 'deny',
    action: 'refuse',
    gaps: [{ kind: 'stop', detail: `an administrator has stopped this ${kind}`, source: 'stop' }],
    remedies: [{ kind: 'prerequisite', detail: 'go on without it; a person can ask an administrator of the gateway' }],
    rules: ['stop'],
    reason: `An administrator has stopped this ${kind}.`,
    effects: [],
  }
}
