/** A refusal as an MCP tool result, so that the model reads it and the loop goes on. Never quotes arguments or results. */
import type { JsonObject } from '../../core/json.ts'
import { refusalNotice } from '../../policy/refusal.ts'
import type { Verdict } from '../../policy/types.ts'
import type { ToolCall } from '../call.ts'

export function refusalResult(call: ToolCall, verdict: Verdict): JsonObject {
  return {
    content: [{ type: 'text', text: refusalNotice(verdict) }],
    isError: true,
    _meta: {
      'dev.turnward/refusal': {
        decision: call.decision,
        turn: call.turn,
        rules: [...verdict.rules],
        gaps: verdict.gaps.map((gap) => ({ ...gap })),
        remedies: verdict.remedies.map((remedy) => ({ ...remedy })),
      },
    },
  }
}
