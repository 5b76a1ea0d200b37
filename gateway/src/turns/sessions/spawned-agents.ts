/**
 * Sub-agents that nothing in their requests tells apart: their conversation begins with the task that a released call gave
 * them. They get a session of their own, below the one that started them, with its label and in its turn.
 */
import { hash } from 'node:crypto'
import type { Caller } from '../../core/principal.ts'
import { RememberedHashes } from '../../core/remembered-hashes.ts'
import { unknownLabel } from '../../policy/admit.ts'
import { join } from '../../policy/label.ts'
import type { Label } from '../../policy/types.ts'
import { push } from '../../state/state-operations.ts'
import type { Session } from '../../state/sessions.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ProposingCall } from '../call.ts'
import { textsIn } from '../provenance/words-of-call.ts'
import type { Services } from '../services.ts'
import { freshState } from './fresh-state.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { agentToolsOf } from './clients/clients.ts'

/** Texts of one call that may be a task. */
const mostTexts = 8
const longestTask = 100_000
/** Calls with the same task that are remembered one by one. */
const mostAlike = 16

/** A call that starts a sub-agent was released: a conversation that begins with one of its texts is that agent's. */
export async function expectAgent(call: ProposingCall, tool: string, args: JsonObject): Promise<void> {
  if (!agentToolsOf(call.client).has(tool)) return
  const { services, snapshot, caller, session, turn } = call
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  const owner = ownerKey(services, caller)
  const started = { session: session.id, turn }
  for (const text of textsIn(args).slice(0, mostTexts)) {
    if (text.trim() === '' || text.length > longestTask) continue
    const key = taskKey(owner, text)
    const forgotten = await push(services.state, 'task', key, started, { most: mostAlike, expires })
    if (forgotten.length > 0) await services.state.put('task', crowdedKey(key), [started], expires)
    await services.state.put('task', owner, [started], expires)
  }
}

/** A conversation that a released call started: the session it was started in, and the turn. */
export interface Started {
  readonly session: Session
  readonly turn: string | null
  /** What it begins with: the label of that session, and of every other that has given the same task, because nobody can tell whose agent it is. */
  readonly label: Label
}

/** Who gave this task to an agent; undefined when no released call gave it to anybody. */
export async function startedWith(
  services: Services,
  snapshot: Snapshot,
  caller: Caller,
  task: () => string,
): Promise<Started | undefined> {
  const owner = ownerKey(services, caller)
  // Most owners start no agents, and every conversation begins once.
  if ((await services.state.get('task', owner)) === undefined) return undefined
  const text = task()
  if (text.trim() === '' || text.length > longestTask) return undefined
  const key = taskKey(owner, text)
  const given = (await services.state.get('task', key)) ?? []
  let newest: Omit<Started, 'label'> | undefined
  let label = freshState(snapshot.policy).label
  for (const { session: id, turn } of given) {
    const session = await services.sessions.find(id, snapshot.policy, snapshot.settings.turns.session_idle_ms)
    if (session === undefined) continue
    newest = { session, turn }
    label = join(label, session.policyState.label)
  }
  if (newest === undefined) return undefined
  const isCrowded = (await services.state.get('task', crowdedKey(key))) !== undefined
  return { ...newest, label: isCrowded ? join(label, unknownLabel(snapshot.policy, caller.principal)) : label }
}

const owners = new RememberedHashes()

function ownerKey({ secret }: Services, { principal, consumer, actor }: Caller): string {
  return owners.of(secret, 'task', principal.id, consumer ?? '', actor ?? '')
}

/** Where it is noted that more calls have given a task than are remembered: what they had read nobody knows. */
function crowdedKey(task: string): string {
  return `${task}+`
}

function taskKey(owner: string, text: string): string {
  return hash('sha256', `${owner}${text.trim()}`, 'base64url')
}
