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
import { addResponsesNote, addResponsesTools, appendResponsesRound, replaceResponsesResult, restoreResponses } from './edit.ts'
import { responsesErrorBody, responsesErrorIn, responsesStreamError } from './errors.ts'
import { settleResponsesCalls } from './call-texts.ts'
import { guardedFields } from './guarded-fields.ts'
import { carriesMarks, withoutMarks } from './hub/sealed.ts'
import { keptResponses } from './kept-responses.ts'
import { namedFiles } from './named-files.ts'
import { paths } from './paths.ts'
import { readResponsesRequest } from './request.ts'
import { servedTools } from './served/served.ts'
import { ResponsesStreamLens } from './stream.ts'
import { removeTools } from './tools.ts'

export const responses: Dialect = {
  name: 'responses',
  paths,
  showsVendorRuns: true,
  listField: 'input',
  readsWhole: true,
  kept: keptResponses,
  namedFiles,
  served: servedTools,
  guardedFields,
  readRequest: readResponsesRequest,
  readResponse: readResponsesResponse,
  errorIn: responsesErrorIn,
  streamLens: () => new ResponsesStreamLens(),
  edit: {
    removeTools,
    addTools: addResponsesTools,
    replaceResult: replaceResponsesResult,
    restore: restoreResponses,
    addNote: addResponsesNote,
    appendRound: appendResponsesRound,
  },
  respond: {
    normalise: settleResponsesCalls,
    assistantMessage: responsesAssistantMessage,
    nativeCall: nativeResponsesCall,
    dropCalls: dropResponsesCalls,
    mergeEarlier: mergeResponsesEarlier,
    appendText: appendResponsesText,
  },
  errorBody: responsesErrorBody,
  streamError: responsesStreamError,
  marks: { isIn: carriesMarks, without: withoutMarks },
}
