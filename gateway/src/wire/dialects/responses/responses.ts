/** OpenAI's responses dialect. */
import type { Dialect } from '../../dialect.ts'
import {
  appendResponsesText,
  dropResponsesCalls,
  mergeResponsesEarlier,
  nativeResponsesCall,
  readResponsesResponse,
  responsesAssistantMessage,
} from './answer.ts'
import { addResponsesMessages } from './added.ts'
import { makeResponsesCall } from './made-call.ts'
import { writeArgumentsOfResponse, writeResponsesArguments } from './arguments.ts'
import { addResponsesNote, addResponsesTools, appendResponsesRound, replaceResponsesResult, restoreResponses } from './edit.ts'
import { responsesErrorBody, responsesErrorIn, responsesStreamError } from './errors.ts'
import { responsesCarriedTexts } from './carried-texts.ts'
import { responsesRequestTexts } from './request-texts.ts'
import { responsesTexts } from './shown-texts.ts'
import { settleResponsesCalls } from './call-texts.ts'
import { guardedFields } from './guarded-fields.ts'
import { settledFields } from './settled-fields.ts'
import { carriesMarks, withoutMarks } from './hub/sealed.ts'
import { keptResponses } from './kept-responses.ts'
import { namedFiles } from './named-files.ts'
import { paths } from './paths.ts'
import { readResponsesRequest } from './request.ts'
import { servedTools } from './served/served.ts'
import { ResponsesStreamLens } from './stream.ts'
import { removeTools } from './tools.ts'
import { tokenCount } from '../usage-records.ts'

export const responses: Dialect = {
  name: 'responses',
  paths,
  showsVendorRuns: true,
  listField: 'input',
  readsWhole: true,
  kept: keptResponses,
  namedFiles,
  served: servedTools,
  mostOutput: ({ max_output_tokens: most }) => tokenCount(most),
  guardedFields,
  settledFields,
  readRequest: readResponsesRequest,
  readResponse: readResponsesResponse,
  errorIn: responsesErrorIn,
  shownTexts: responsesTexts,
  carriedTexts: responsesCarriedTexts,
  requestTexts: responsesRequestTexts,
  streamLens: () => new ResponsesStreamLens(),
  edit: {
    removeTools,
    addTools: addResponsesTools,
    replaceResult: replaceResponsesResult,
    writeArguments: writeResponsesArguments,
    restore: restoreResponses,
    addNote: addResponsesNote,
    appendRound: appendResponsesRound,
    addMessages: addResponsesMessages,
    makeCall: makeResponsesCall,
  },
  respond: {
    normalise: settleResponsesCalls,
    assistantMessage: responsesAssistantMessage,
    nativeCall: nativeResponsesCall,
    writeArguments: writeArgumentsOfResponse,
    dropCalls: dropResponsesCalls,
    mergeEarlier: mergeResponsesEarlier,
    appendText: appendResponsesText,
  },
  errorBody: responsesErrorBody,
  streamError: responsesStreamError,
  marks: { isIn: carriesMarks, without: withoutMarks },
}
