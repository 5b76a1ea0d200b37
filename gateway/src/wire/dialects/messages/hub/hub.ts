/** The messages dialect to and from the neutral form. */
import type { DialectHub } from '../../../hub/dialect-hub.ts'
import { readAnswer, writeAnswer } from './answers.ts'
import { readRequest } from './reading-request.ts'
import { MessagesStreamReader } from './reading-stream.ts'
import { writeRequest } from './writing-request.ts'
import { MessagesStreamWriter } from './writing-stream.ts'

export const messagesHub: DialectHub = {
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  readStream: (emit) => new MessagesStreamReader(emit),
  writeStream: () => new MessagesStreamWriter(),
}
