/** The rounds of one client request whose calls were all refused: each is answered by the gateway and the model is asked again. */
import type { JsonObject, RefusedCall, SplicedRound } from '../../wire/dialect.ts'
import type { ModelCall } from '../call.ts'

/** A round the client never saw: the model's message and what each of its calls was answered with. */
export function refusedRound(assistant: JsonObject, refused: readonly RefusedCall[]): SplicedRound {
  return { assistant, refused: refused.map(({ id, name, call: native, notice }) => ({ id, name, call: native, notice })) }
}

/** Appends the round to the conversation that goes out next. */
export function appendRefusedRound(call: ModelCall, assistant: JsonObject, refused: readonly RefusedCall[]): SplicedRound {
  const round = refusedRound(assistant, refused)
  call.dialect.edit.appendRound(call.body.json, round)
  call.bytes = undefined
  call.services.telemetry.count('turnward_splices_total', { kind: 'all' })
  return round
}

/** What the client reads when the model keeps proposing calls that are refused. */
export function exhaustedText(refused: readonly RefusedCall[]): string {
  const names = [...new Set(refused.map((call) => call.name))].join(', ')
  return `The tool calls I proposed (${names}) were refused by policy, and I have no other way to go on.`
}
