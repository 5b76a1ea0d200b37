/** A call without arguments as the contents of a Gemini request have it. */
import type { MadeCall, MadeCallOf } from '../../request/made-call.ts'
import { needsSignatures, withSignedCall } from './signatures.ts'

export function makeGeminiCall({ name, models }: MadeCallOf): MadeCall {
  const call = { functionCall: { name, args: {} } }
  return { call, assistant: { role: 'model', parts: models.some(needsSignatures) ? withSignedCall([call]) : [call] } }
}
