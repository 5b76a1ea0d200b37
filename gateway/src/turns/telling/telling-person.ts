/**
 * The person reads one line in the answer of the turn in which tools were withheld or a call was refused, once per change.
 * Nothing disappears without a word; nothing is said twice.
 */
import { isObject } from '../../core/json.ts'
import type { Verdict } from '../../policy/types.ts'
import type { Approval } from '../approvals/approval.ts'
import { lineForWaiting } from '../approvals/waiting-words.ts'
import type { AttachedCall, ModelCall } from '../call.ts'
import { answerLine, lineForRefused } from './withheld-words.ts'

/** Lines that wait for one answer, and marks that are remembered. */
const mostLines = 4
const mostMarks = 128

/** Notes a line for the person of this session; a mark that was noted before is not noted again. */
export async function noteForPerson(
  { services, snapshot, session }: Pick<AttachedCall, 'services' | 'snapshot' | 'session'>,
  mark: string,
  line: string,
): Promise<void> {
  if (snapshot.settings.turns.tell_user === 'never') return
  await services.sessions.change(
    session,
    (state) => {
      if (state.told.includes(mark)) return [state, undefined]
      return [{ ...state, told: [...state.told, mark].slice(-mostMarks), untold: [...state.untold, line].slice(-mostLines) }, undefined]
    },
    true,
  )
}

/** Notes that a call was refused: once for each tool and what was missing. `calledAs`: the name the person knows the tool by. */
export function noteRefused(
  call: Pick<AttachedCall, 'services' | 'snapshot' | 'session'>,
  tool: string,
  { gaps, reason }: Verdict,
  calledAs: string = tool,
): Promise<void> {
  return noteForPerson(call, `refused ${tool} ${gaps.map(({ kind }) => kind).join(' ')}`, lineForRefused(calledAs, reason))
}

/** Notes that a call waits for a person: once for each approval. */
export function noteWaiting(
  call: Pick<AttachedCall, 'services' | 'snapshot' | 'session'>,
  tool: string,
  approval: Approval,
): Promise<void> {
  return noteForPerson(call, `waits ${approval.id}`, lineForWaiting(tool, approval, call.services.approvalLink(approval.id)))
}

/** Whether the answer to this call is one a person reads, in words that may be added to, and something waits to be told. */
export function hasLineForPerson(call: ModelCall): boolean {
  const { session, side, view, snapshot } = call
  return (
    session.state.untold.length > 0 &&
    side === undefined &&
    view.choices === 1 &&
    snapshot.settings.turns.tell_user === 'once' &&
    !isAgents(call) &&
    !isStructured(call)
  )
}

/** The line for the person, told by this. */
export async function takeLineForPerson(call: ModelCall): Promise<string> {
  const lines = await call.services.sessions.change(call.session, (state) => [{ ...state, untold: [] }, state.untold])
  return answerLine(lines, call.turn)
}

/** The answer of a sub-agent is read by the agent that started it. */
function isAgents({ session, client }: ModelCall): boolean {
  return session.state.source === 'agent' || (client !== undefined && session.state.source === `${client.name}-agent`)
}

/** Whether the answer has a form that a line would break. */
function isStructured({ body }: ModelCall): boolean {
  const { response_format: format, output_config: config, output_format: older, text } = body.fields
  if (isObject(format) && format.type !== 'text') return true
  if (isObject(text) && isObject(text.format) && text.format.type !== 'text') return true
  return isObject(older) || (isObject(config) && isObject(config.format))
}
