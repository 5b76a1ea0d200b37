/** responses to and from the neutral form. */
import type { DialectHub } from '../../../hub/dialect-hub.ts'
import { readAnswer, writeAnswer } from './answers.ts'
import { readRequest } from './reading-request.ts'
import { ResponsesStreamReader } from './reading-stream.ts'
import { writeRequest } from './writing-request.ts'
import { ResponsesStreamWriter } from './writing-stream.ts'

export const responsesHub: DialectHub = {
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  readStream: (emit, options) => new ResponsesStreamReader(emit, options),
  writeStream: (options) => new ResponsesStreamWriter(options),
}
