/** The Converse dialect to and from the neutral form. */
import type { DialectHub } from '../../../hub/dialect-hub.ts'
import { readAnswer, writeAnswer } from './answers.ts'
import { readRequest } from './reading-request.ts'
import { ConverseStreamReader } from './reading-stream.ts'
import { writeRequest } from './writing-request.ts'
import { ConverseStreamWriter } from './writing-stream.ts'

export const converseHub: DialectHub = {
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  readStream: (emit, options) => new ConverseStreamReader(emit, options),
  writeStream: () => new ConverseStreamWriter(),
}
