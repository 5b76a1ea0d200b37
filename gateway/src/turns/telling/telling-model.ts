/**
 * When the offer shrinks, the model is told once: what is withheld, because of which read, and what would help. So it is when
 * people have ruled on calls that waited for them. The words
 * stand behind the newest message and are put back at the same place in every later request, so that a provider's cache of
 * the conversation survives.
 */
import { decide } from '../../policy/decide.ts'
import { noEvidence } from '../../policy/evidence.ts'
import type { GapKind } from '../../policy/types.ts'
import type { Note } from '../../state/state-values.ts'
import type { ModelCall } from '../call.ts'
import { narrowedByWhenSent, stateWhenSent } from '../deciding/narrowing-when-sent.ts'
import { noteForPerson } from './telling-person.ts'
import { takeRulings } from '../approvals/untold-rulings.ts'
import { lineForWithheld, noteForModel, noticeForModel, type Withheld } from './withheld-words.ts'

export async function tellModel(call: ModelCall): Promise<void> {
  const { history, told } = call
  const waited = call.session.state.approvals.length > 0
  if ((call.withheld.length === 0 && !waited) || call.side !== undefined) return
  const known = new Set(told.flatMap(({ tools }) => tools))
  const news = takenAway(
    call,
    call.withheld.filter((tool) => !known.has(tool)),
  )
  if (news !== undefined) await noteForPerson(call, `withheld ${[...news.tools].sort().join(' ')}`, lineForWithheld(news))
  const last = history.at(-1)
  // An answer that the client has begun must stay the last thing said.
  if (last === undefined || last.message.role === 'assistant') return
  const rulings = waited ? await takeRulings(call) : []
  const texts = [...rulings.map(noticeForModel), ...(news === undefined ? [] : [noteForModel(news)])]
  if (texts.length === 0) return
  const { services, snapshot, session } = call
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  // The same request may be under way twice: what stands at a place is said once, and stays.
  const note = await services.state.change('note', last.place, (said) => {
    const value: Note = said ?? { text: texts.join('\n'), tools: news?.tools ?? [] }
    return { value, expires, result: value }
  })
  await services.sessions.change(session, (state) => [state.hasNotes ? state : { ...state, hasNotes: true }, undefined], true)
  const messages = call.body.json[call.dialect.listField]
  // A dialect whose conversation may be one text reads it as its only message.
  call.dialect.edit.addNote(call.body.json, Array.isArray(messages) ? lastSpoken(messages.length - 1, messages) : 0, note.text)
  call.bytes = undefined
}

/** What a read takes away. A tool that nobody granted, or that waits for something to be done first, was never there. */
const byReading: ReadonlySet<GapKind> = new Set(['trust', 'audience', 'undescribed'])

/** Those of the tools that this conversation could have called before it read what it has read; undefined when there are none. */
function takenAway(call: ModelCall, names: readonly string[]): Withheld | undefined {
  const { policy } = call.snapshot
  const state = stateWhenSent(call)
  const narrowedBy = narrowedByWhenSent(call)
  const judged = names.map((name) => ({
    name,
    verdict: decide(
      policy,
      state,
      { tool: call.meanings.ofName(name)[0], args: {}, caller: call.caller, gateway: null, callKey: '' },
      noEvidence,
    ),
  }))
  const taken = judged.filter(
    ({ verdict }) => verdict.gaps.some(({ kind }) => byReading.has(kind)) && !verdict.gaps.some(({ kind }) => kind === 'grant'),
  )
  const [first] = taken
  if (first === undefined || narrowedBy.length === 0) return undefined
  // Advice about arguments is for a call that was made.
  const remedies = first.verdict.remedies.filter(({ kind }) => kind !== 'narrow')
  return {
    tools: taken.map(({ name }) => name),
    narrowedBy,
    trust: policy.trustRanks[state.label.trust] ?? '',
    remedies,
  }
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
