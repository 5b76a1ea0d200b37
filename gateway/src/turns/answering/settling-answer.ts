/**
 * Settles what the client gets of a message whose calls are decided, and remembers it before a byte of it is sent: the
 * client may come back faster than we get here again.
 */
import type { RefusedCall } from '../../wire/dialect.ts'
import type { ModelCall, ProposalRulings } from '../call.ts'
import { hasLineForPerson, takeLineForPerson } from '../telling/telling-person.ts'
import type { Answer, Round } from './answer.ts'
import { rememberDelivered } from './delivering.ts'
import { refusedRound } from './rounds-so-far.ts'

export async function settleAnswer(call: ModelCall, answer: Answer, round: Round, rulings: ProposalRulings): Promise<void> {
  const { allowed, refused } = rulings
  const { refused: rounds } = call.rounds
  if (refused.length > 0 && allowed.size === 0 && round.cutCalls === 0) {
    await closeExhausted(call, answer, round, refused)
    return
  }
  if (refused.length > 0) call.services.telemetry.count('turnward_splices_total', { kind: 'mixed' })
  const native = rounds.length + refused.length === 0 ? undefined : round.assistant()
  const line = allowed.size === 0 && answer.takesLine && hasLineForPerson(call) ? await takeLineForPerson(call) : ''
  const { text, calls } = answer.release(allowed, line)
  await rememberDelivered(call, { text, ours: line, calls, rounds, dropped: refused, native })
}

/** The model keeps proposing what is refused: the message ends with an explanation. */
async function closeExhausted(call: ModelCall, answer: Answer, round: Round, refused: readonly RefusedCall[]): Promise<void> {
  const explanation = exhaustedText(refused)
  const line = hasLineForPerson(call) ? `\n\n${await takeLineForPerson(call)}` : ''
  const ours = explanation + line
  const made = round.assistant()
  const { text } = answer.close(ours)
  // The model shall see this round refused like the others, and the explanation as what it then said.
  const rounds = [...call.rounds.refused, refusedRound(made, refused)]
  await rememberDelivered(call, { text, ours, calls: [], rounds, dropped: [], native: { role: 'assistant', content: ours } })
}

/** What the client reads when the model keeps proposing calls that are refused. */
function exhaustedText(refused: readonly RefusedCall[]): string {
  const names = [...new Set(refused.map((call) => call.name))].join(', ')
  return `The tool calls I proposed (${names}) were refused by policy, and I have no other way to go on.`
}
