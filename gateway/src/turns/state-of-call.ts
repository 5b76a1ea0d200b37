/**
 * The state as one call uses it. Kept in this process, it is the state itself and costs nothing more. Kept elsewhere, each
 * call has a view of its own: what it reads is fetched together, what may wait is written together, and everybody goes by
 * the clock of the place.
 */
import { hash } from 'node:crypto'
import { asTurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'
import type { CallState, StateStore } from '../state/state-store.ts'
import type { Services } from './services.ts'

/** The services for one call of this caller. Everything a call keeps belongs to its principal, whatever the application. */
export function forCall(services: Services, { principal }: { readonly principal: Pick<Caller['principal'], 'id'> }): Services {
  const state = services.state.begin?.(slotOf(principal.id))
  return state === undefined ? services : onState(services, state)
}

/** What the keys of a principal have in common; says nothing of who it is. */
export function slotOf(principal: string): string {
  return hash('sha256', `slot|${principal}`, 'base64url').slice(0, 16)
}

/** Runs something that touches nothing but the state, in one step. It may run more than once, each time with services of its own. */
export function inOneStep<R>(services: Services, run: (services: Services) => Promise<R>): Promise<R> {
  const state = callStateOf(services)
  return state === undefined ? run(services) : state.attempt(() => run(onState(services, state)))
}

/** The state of a call, where it is kept elsewhere. */
export function callStateOf({ state }: { readonly state: StateStore }): CallState | undefined {
  return 'attempt' in state ? (state as CallState) : undefined
}

/** Writes what waits: what leaves the gateway next must find it there. */
export async function settleState(services: Services): Promise<void> {
  await callStateOf(services)?.settle()
}

/** The call is over. What cannot be written now is said, and only makes later calls know less. */
export async function closeState(services: Services, last: () => Promise<void>): Promise<void> {
  try {
    await last()
    await settleState(services)
  } catch (thrown) {
    const error = asTurnwardError(thrown)
    services.telemetry.logger.error({ code: error.code }, 'what a call leaves behind could not be kept')
  }
}

function onState(services: Services, state: CallState): Services {
  return { ...services, state, clock: state.clock, sessions: services.sessions.of(state), words: services.words.of(state) }
}
