/**
 * Settles what the client gets of a message whose calls are decided, and remembers it before a byte of it is sent: the
 * client may come back faster than we get here again.
 */
import type { SplicedCall } from '../../wire/dialect.ts'
import type { ModelCall, ProposalRulings } from '../call.ts'
import { hasLineForPerson, takeLineForPerson } from '../telling/telling-person.ts'
import type { Answer, Round } from './answer.ts'
import { rememberDelivered } from './delivering.ts'
import { isAnswered, splicedRound } from './rounds-so-far.ts'

export async function settleAnswer(call: ModelCall, answer: Answer, round: Round, rulings: ProposalRulings): Promise<void> {
  const { allowed, stayed, written } = rulings
  const { spliced: rounds } = call.rounds
  if (stayed.length > 0 && allowed.size === 0 && round.cutCalls === 0) {
    await closeExhausted(call, answer, round, stayed)
    return
  }
  if (stayed.length > 0) call.services.telemetry.count('turnward_splices_total', { kind: 'mixed' })
  const native = rounds.length + stayed.length === 0 ? undefined : round.assistant()
  const line = allowed.size === 0 && answer.takesLine && hasLineForPerson(call) ? await takeLineForPerson(call) : ''
  const { text, calls } = answer.release(allowed, line, new Map([...written].map(([id, { args }]) => [id, args])))
  await rememberDelivered(call, { text, ours: line, calls, written, rounds, dropped: stayed, native })
}

/** The model keeps proposing what stays here: the message ends with an explanation. */
async function closeExhausted(call: ModelCall, answer: Answer, round: Round, stayed: readonly SplicedCall[]): Promise<void> {
  const explanation = exhaustedText(stayed)
  const line = hasLineForPerson(call) ? `\n\n${await takeLineForPerson(call)}` : ''
  const ours = explanation + line
  const made = round.assistant()
  const { text } = answer.close(ours)
  // The model shall see this round answered like the others, and the explanation as what it then said.
  const rounds = [...call.rounds.spliced, splicedRound(made, stayed)]
  await rememberDelivered(call, {
    text,
    ours,
    calls: [],
    written: new Map(),
    rounds,
    dropped: [],
    native: { role: 'assistant', content: ours },
  })
}

/** What the client reads when the model keeps proposing calls that stay here. */
function exhaustedText(stayed: readonly SplicedCall[]): string {
  const refused = stayed.filter((call) => !isAnswered(call))
  const names = [...new Set((refused.length > 0 ? refused : stayed).map((call) => call.name))].join(', ')
  if (refused.length === 0) return `I have asked the gateway (${names}) as often as one request may, and have not come to an end.`
  return `The tool calls I proposed (${names}) were refused by policy, and I have no other way to go on.`
}
