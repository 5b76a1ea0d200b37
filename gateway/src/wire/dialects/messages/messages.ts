/** Anthropic's messages dialect. */
import { addMessagesMessages } from './added.ts'
import { defineMessagesCalls, makeMessagesCall } from './made-call.ts'
import { writeArgumentsOfMessage, writeMessagesArguments } from './arguments.ts'
import { MessagesStreamLens } from './stream.ts'
import { guardedFields } from './guarded-fields.ts'
import { settledFields } from './settled-fields.ts'
import { keptBatches } from './kept-batches.ts'
import { keptFiles, namedFiles } from './kept-files.ts'
import { paths } from './paths.ts'
import type { Dialect } from '../../dialect.ts'
import { messagesErrorBody, messagesErrorIn, messagesStreamError } from './errors.ts'
import { messagesCarriedTexts } from './carried-texts.ts'
import { messagesRequestTexts } from './request-texts.ts'
import { messagesTexts } from './shown-texts.ts'
import {
  addMessagesNote,
  addMessagesTools,
  appendMessagesRound,
  removeMessagesTools,
  replaceMessagesResult,
  restoreMessages,
} from './edit.ts'
import {
  appendMessagesText,
  dropMessagesCalls,
  mergeMessagesEarlier,
  messagesAssistantMessage,
  nativeMessagesCall,
  readMessagesResponse,
  settleMessagesCalls,
} from './answer.ts'
import { modelEntry, modelList } from './models.ts'
import { readMessagesRequest } from './request.ts'
import { carriesMarks, withoutMarks } from './hub/marks.ts'
import { tokenCount } from '../usage-records.ts'

export const messages: Dialect = {
  name: 'messages',
  paths,
  root: '/v1/messages',
  namingHeader: 'anthropic-version',
  showsVendorRuns: true,
  listField: 'messages',
  files: keptFiles,
  batches: keptBatches,
  namedFiles,
  mostOutput: ({ max_tokens: most }) => tokenCount(most),
  guardedFields,
  settledFields,
  readRequest: readMessagesRequest,
  readResponse: readMessagesResponse,
  errorIn: messagesErrorIn,
  shownTexts: messagesTexts,
  carriedTexts: messagesCarriedTexts,
  requestTexts: messagesRequestTexts,
  streamLens: () => new MessagesStreamLens(),
  edit: {
    removeTools: removeMessagesTools,
    addTools: addMessagesTools,
    replaceResult: replaceMessagesResult,
    writeArguments: writeMessagesArguments,
    restore: restoreMessages,
    addNote: addMessagesNote,
    appendRound: appendMessagesRound,
    addMessages: addMessagesMessages,
    makeCall: makeMessagesCall,
    defineCalls: defineMessagesCalls,
  },
  respond: {
    normalise: settleMessagesCalls,
    assistantMessage: messagesAssistantMessage,
    nativeCall: nativeMessagesCall,
    writeArguments: writeArgumentsOfMessage,
    dropCalls: dropMessagesCalls,
    mergeEarlier: mergeMessagesEarlier,
    appendText: appendMessagesText,
  },
  countAnswer: (tokens) => ({ input_tokens: tokens }),
  models: { entry: modelEntry, list: modelList },
  errorBody: messagesErrorBody,
  streamError: messagesStreamError,
  marks: { isIn: carriesMarks, without: withoutMarks },
}
