/** The Gemini dialect to and from the neutral form. */
import type { DialectHub } from '../../../hub/dialect-hub.ts'
import { readAnswer, writeAnswer } from './answers.ts'
import { readRequest } from './reading-request.ts'
import { GeminiStreamReader } from './reading-stream.ts'
import { writeRequest } from './writing-request.ts'
import { GeminiStreamWriter } from './writing-stream.ts'

export const geminiHub: DialectHub = {
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  readStream: (emit, options) => new GeminiStreamReader(emit, options),
  writeStream: () => new GeminiStreamWriter(),
}
