/**
 * A call that was refused did not run: what was reserved for it is free again, the person of the conversation reads a line
 * about it, and the model reads an MCP tool result that says why, so that the loop goes on. Never quotes arguments or results.
 */
import { sha256 } from '../../core/hash.ts'
import type { JsonObject } from '../../core/json.ts'
import { release } from '../../policy/effects.ts'
import { labelRecord } from '../../policy/label.ts'
import { refusalNotice } from '../../policy/refusal.ts'
import type { DecidedToolCall, EndedToolCall } from '../call.ts'
import { freshState } from '../sessions/fresh-state.ts'
import { noteRefused, noteWaiting } from '../telling/telling-person.ts'
import { refusalKey } from './labels-of-history.ts'
import { settleToolCall } from './settling-tool-call.ts'

export async function refuseToolCall(call: DecidedToolCall): Promise<EndedToolCall> {
  const { waiting } = call
  const notice = waiting?.notice ?? refusalNotice(call.verdict)
  if (call.proposal !== undefined) {
    if (waiting === undefined) await noteRefused(call, call.tool.name, call.verdict)
    else await noteWaiting(call, call.tool.name, waiting.approval)
    await noteOwnWords(call, notice)
  }
  await settleToolCall(call, (now) => [{ ...now, effects: release(now.effects, call.callKey) }, undefined])
  return { ...call, before: undefined, end: { outcome: 'refused' }, result: refusalResult(call, notice) }
}

/** When these very words come back as the result of this very call, they are the gateway's and bring nothing. */
export async function noteOwnWords(
  { services, snapshot, caller, callKey }: Pick<DecidedToolCall, 'services' | 'snapshot' | 'caller' | 'callKey'>,
  text: string,
): Promise<void> {
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  await services.state.put(
    'label',
    refusalKey(caller.principal.id, callKey, sha256(text)),
    labelRecord(freshState(snapshot.policy).label, snapshot.policy),
    expires,
  )
}

function refusalResult({ decision, turn, verdict, waiting }: DecidedToolCall, notice: string): JsonObject {
  return {
    content: [{ type: 'text', text: notice }],
    isError: true,
    _meta: {
      'dev.turnward/refusal': {
        decision,
        turn,
        rules: [...verdict.rules],
        gaps: verdict.gaps.map((gap) => ({ ...gap })),
        remedies: verdict.remedies.map((remedy) => ({ ...remedy })),
      },
      ...(waiting === undefined ? {} : { 'dev.turnward/approval': { id: waiting.approval.id, expires: waiting.approval.expires } }),
    },
  }
}
