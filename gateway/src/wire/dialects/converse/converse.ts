/** Amazon Bedrock's Converse dialect. */
import type { Dialect } from '../../dialect.ts'
import {
  appendConverseText,
  converseAssistantMessage,
  dropConverseCalls,
  mergeConverseEarlier,
  nativeConverseCall,
  readConverseResponse,
  settleConverseCalls,
} from './answer.ts'
import {
  addConverseNote,
  addConverseTools,
  appendConverseRound,
  removeConverseTools,
  replaceConverseResult,
  restoreConverse,
} from './edit.ts'
import { converseErrorBody, converseErrorHeaders, converseErrorIn, converseStreamError } from './errors.ts'
import { guardedFields } from './guarded-fields.ts'
import { paths, readPath } from './paths.ts'
import { readConverseRequest } from './request.ts'
import { ConverseStreamLens } from './stream.ts'

export const converse: Dialect = {
  name: 'converse',
  paths,
  readPath,
  listField: 'messages',
  guardedFields,
  readRequest: readConverseRequest,
  readResponse: readConverseResponse,
  errorIn: converseErrorIn,
  streamLens: () => new ConverseStreamLens(),
  edit: {
    removeTools: removeConverseTools,
    addTools: addConverseTools,
    replaceResult: replaceConverseResult,
    restore: restoreConverse,
    addNote: addConverseNote,
    appendRound: appendConverseRound,
  },
  respond: {
    normalise: settleConverseCalls,
    assistantMessage: converseAssistantMessage,
    nativeCall: nativeConverseCall,
    dropCalls: dropConverseCalls,
    mergeEarlier: mergeConverseEarlier,
    appendText: appendConverseText,
  },
  countAnswer: (inputTokens) => ({ inputTokens }),
  errorBody: converseErrorBody,
  errorHeaders: converseErrorHeaders,
  streamError: converseStreamError,
}
