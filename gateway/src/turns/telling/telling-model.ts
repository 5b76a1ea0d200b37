/**
 * When the offer shrinks, the model is told once: what is withheld, because of which read, and what would help. The words
 * stand behind the newest message and are put back at the same place in every later request, so that a provider's cache of
 * the conversation survives.
 */
import { decide } from '../../policy/decide.ts'
import type { Note } from '../../state/state-values.ts'
import type { ModelCall } from '../call.ts'
import type { HistoryEntry } from '../sessions/history.ts'
import { noteForPerson } from './telling-person.ts'
import { lineForWithheld, noteForModel, type Withheld } from './withheld-words.ts'

/** `told`: the notes that the history has already. */
export async function tellModel(call: ModelCall, history: readonly HistoryEntry[], told: readonly Note[]): Promise<void> {
  const known = new Set(told.flatMap(({ tools }) => tools))
  const news = call.withheld.filter((tool) => !known.has(tool))
  if (news.length === 0 || call.side !== undefined) return
  const withheld = describe(call, news)
  await noteForPerson(call, `withheld ${[...news].sort().join(' ')}`, lineForWithheld(withheld))
  const last = history.at(-1)
  // An answer that the client has begun must stay the last thing said.
  if (last === undefined || last.message.role === 'assistant') return
  const note: Note = { text: noteForModel(withheld), tools: news }
  const { services, snapshot, session } = call
  await services.state.put('note', last.point, note, services.clock.now() + snapshot.settings.turns.session_idle_ms)
  await services.sessions.change(session, (state) => [state.hasNotes ? state : { ...state, hasNotes: true }, undefined])
  const messages = call.body.json.messages
  call.dialect.edit.addNote(call.body.json, Array.isArray(messages) ? lastSpoken(messages.length - 1, messages) : -1, note.text)
  call.bytes = undefined
}

function describe(call: ModelCall, tools: readonly string[]): Withheld {
  const { policy } = call.snapshot
  const { state } = call.session
  const [first = ''] = tools
  const { principal, actor } = call.caller
  const verdict = decide(policy, state.policy, { tool: call.meanings.ofName(first)[0], args: {}, principal, actor, gateway: null, callKey: '' })
  // Advice about arguments is for a call that was made.
  const remedies = verdict.remedies.filter(({ kind }) => kind !== 'narrow')
  return { tools, narrowedBy: state.narrowedBy, trust: policy.trustRanks[state.policy.label.trust] ?? '', remedies }
}

/** The newest message that is not an instruction: clients let such stand at the end. */
function lastSpoken(from: number, messages: readonly unknown[]): number {
  let index = from
  while (index > 0 && isInstruction(messages[index])) index -= 1
  return index
}

function isInstruction(message: unknown): boolean {
  const role = (message as { role?: unknown } | null)?.role
  return role === 'system' || role === 'developer'
}
