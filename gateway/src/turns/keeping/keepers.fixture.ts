/** Whose answers are kept, as two gateways over one state know them. */
import { responsesSchema } from '@turnward/contract/config/agent-floor'
import type { z } from 'zod'
import { systemClock } from '../../core/clock.ts'
import type { SharedState } from '../../state/backends.fixture.ts'
import type { StateStore } from '../../state/state-store.ts'
import { callStateOf, slotOf } from '../state-of-call.ts'
import type { Keeper } from './keeper.ts'
import type { AnswerToKeep } from './kept-store.ts'

const secret = Buffer.alloc(32, 7)
const day = 24 * 3600 * 1000

export interface Who {
  readonly principal?: string
  readonly consumer?: string | null
  readonly actor?: string | null
}

/** The state as two gateways have it, in turns. */
const gateways = new WeakMap<SharedState, StateStore[]>()
async function nextGateway(shared: SharedState): Promise<StateStore> {
  const states = gateways.get(shared) ?? [await shared.open(), await shared.open()]
  gateways.set(shared, states.toReversed())
  return states[0] as StateStore
}

type Settings = z.input<typeof responsesSchema>

/** A keeper of one call; `settle` makes what it did visible to others. */
export async function keeperOf(shared: SharedState, settings: Settings = {}, who: Who = {}) {
  const keeper = keeperOn(await nextGateway(shared), settings, who)
  return { keeper, settle: async () => callStateOf(keeper.services)?.settle() }
}

/** A keeper of one call at the gateway that has this state. */
export function keeperOn(state: StateStore, settings: Settings = {}, who: Who = {}): Keeper {
  const { principal: id = 'alice', consumer = 'app', actor = null } = who
  const principal = { id, kind: 'human', groups: [], emails: [], credentials: new Map() } as const
  const own = state.begin?.(slotOf(id))
  const services = { state: own ?? state, clock: own?.clock ?? systemClock, secret }
  const turns = { session_idle_ms: day, keep_alive_ms: day }
  const snapshot = { settings: { responses: { ...responsesSchema.parse({}), ...settings }, turns } }
  return { services, snapshot: snapshot as Keeper['snapshot'], caller: { principal, consumer, actor } }
}

export function answer(id: string, text = 'Noted.', modelCall = `mc_${id}`): AnswerToKeep {
  const response = { id, status: 'completed', output: [{ type: 'message', role: 'assistant', id: `msg_${id}`, content: text }] }
  return { id, response, inputText: JSON.stringify([{ role: 'user', content: 'A secret.' }]), previous: null, modelCall }
}
