/** Amazon Bedrock's Converse dialect. */
import { isObject } from '../../../core/json.ts'
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
import { addConverseMessages } from './added.ts'
import { defineConverseCalls, makeConverseCall } from './made-call.ts'
import { writeArgumentsOfConverse, writeConverseArguments } from './arguments.ts'
import { converseErrorBody, converseErrorHeaders, converseErrorIn, converseStreamError } from './errors.ts'
import { converseCarriedTexts } from './carried-texts.ts'
import { converseRequestTexts } from './request-texts.ts'
import { converseTexts } from './shown-texts.ts'
import { guardedFields } from './guarded-fields.ts'
import { settledFields } from './settled-fields.ts'
import { paths, readPath } from './paths.ts'
import { readConverseRequest } from './request.ts'
import { ConverseStreamLens } from './stream.ts'
import { tokenCount } from '../usage-records.ts'

export const converse: Dialect = {
  name: 'converse',
  paths,
  readPath,
  listField: 'messages',
  mostOutput: ({ inferenceConfig: config }) => (isObject(config) ? tokenCount(config.maxTokens) : undefined),
  guardedFields,
  settledFields,
  readRequest: readConverseRequest,
  readResponse: readConverseResponse,
  errorIn: converseErrorIn,
  shownTexts: converseTexts,
  carriedTexts: converseCarriedTexts,
  requestTexts: converseRequestTexts,
  streamLens: () => new ConverseStreamLens(),
  edit: {
    removeTools: removeConverseTools,
    addTools: addConverseTools,
    replaceResult: replaceConverseResult,
    writeArguments: writeConverseArguments,
    restore: restoreConverse,
    addNote: addConverseNote,
    appendRound: appendConverseRound,
    addMessages: addConverseMessages,
    makeCall: makeConverseCall,
    defineCalls: defineConverseCalls,
  },
  respond: {
    normalise: settleConverseCalls,
    assistantMessage: converseAssistantMessage,
    nativeCall: nativeConverseCall,
    writeArguments: writeArgumentsOfConverse,
    dropCalls: dropConverseCalls,
    mergeEarlier: mergeConverseEarlier,
    appendText: appendConverseText,
  },
  countAnswer: (inputTokens) => ({ inputTokens }),
  errorBody: converseErrorBody,
  errorHeaders: converseErrorHeaders,
  streamError: converseStreamError,
}
