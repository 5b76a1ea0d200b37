/**
 * Sub-agents that nothing in their requests tells apart: their conversation begins with the task that a released call gave
 * them. They get a session of their own, below the one that started them, with its label and in its turn.
 */
import { hash } from 'node:crypto'
import type { Caller } from '../../core/principal.ts'
import { RememberedHashes } from '../../core/remembered-hashes.ts'
import type { Session } from '../../state/sessions.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ModelCall } from '../call.ts'
import { textsIn } from '../provenance/words-of-call.ts'
import type { Services } from '../services.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { agentToolsOf } from './clients/clients.ts'

/** Texts of one call that may be a task. */
const mostTexts = 8
const longestTask = 100_000

/** A call that starts a sub-agent was released: a conversation that begins with one of its texts is that agent's. */
export async function expectAgent(call: ModelCall, tool: string, args: JsonObject): Promise<void> {
  if (!agentToolsOf(call.client).has(tool)) return
  const { services, snapshot, caller, session, turn } = call
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  const owner = ownerKey(services, caller)
  const started = { session: session.id, turn }
  for (const text of textsIn(args).slice(0, mostTexts)) {
    if (text.trim() === '' || text.length > longestTask) continue
    await services.state.put('task', taskKey(owner, text), started, expires)
    await services.state.put('task', owner, started, expires)
  }
}

/** A conversation that a released call started: the session it was started in, and the turn. */
export interface Started {
  readonly session: Session
  readonly turn: string | null
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
  const found = text.trim() === '' || text.length > longestTask ? undefined : await services.state.get('task', taskKey(owner, text))
  const session =
    found === undefined ? undefined : await services.sessions.find(found.session, snapshot.policy, snapshot.settings.turns.session_idle_ms)
  return found === undefined || session === undefined ? undefined : { session, turn: found.turn }
}

const owners = new RememberedHashes()

function ownerKey({ secret }: Services, { principal, consumer, actor }: Caller): string {
  return owners.of(secret, 'task', principal.id, consumer ?? '', actor ?? '')
}

function taskKey(owner: string, text: string): string {
  return hash('sha256', `${owner}${text.trim()}`, 'base64url')
}
