/** chat-completions to and from the neutral form. */
import type { DialectHub } from '../../../hub/dialect-hub.ts'
import { readAnswer, writeAnswer } from './answers.ts'
import { readRequest } from './reading-request.ts'
import { ChatStreamReader } from './reading-stream.ts'
import { writeRequest } from './writing-request.ts'
import { ChatStreamWriter } from './writing-stream.ts'

export const chatHub: DialectHub = {
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  readStream: (emit, options) => new ChatStreamReader(emit, options),
  writeStream: (options) => new ChatStreamWriter(options),
}
