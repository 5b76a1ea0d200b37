/** Google's Gemini dialect. */
import { isObject } from '../../../core/json.ts'
import type { Dialect } from '../../dialect.ts'
import {
  appendGeminiText,
  dropGeminiCalls,
  geminiAssistantMessage,
  mergeGeminiEarlier,
  nativeGeminiCall,
  readGeminiResponse,
  settleGeminiCalls,
} from './answer.ts'
import { addGeminiMessages } from './added.ts'
import { makeGeminiCall } from './made-call.ts'
import { idsOfCalls, writeArgumentsOfGemini, writeGeminiArguments } from './arguments.ts'
import { addGeminiNote, addGeminiTools, appendGeminiRound, removeGeminiTools, replaceGeminiResult, restoreGemini } from './edit.ts'
import { geminiErrorBody, geminiErrorIn, geminiStreamError } from './errors.ts'
import { geminiCarriedTexts } from './carried-texts.ts'
import { geminiRequestTexts } from './request-texts.ts'
import { geminiTexts } from './shown-texts.ts'
import { guardedFields } from './guarded-fields.ts'
import { readSpelling } from './spelling.ts'
import { settledFields } from './settled-fields.ts'
import { carriesMarks, withoutMarks } from './hub/marks.ts'
import { modelEntry, modelList } from './models.ts'
import { paths, readPath } from './paths.ts'
import { readGeminiRequest } from './request.ts'
import { GeminiStreamLens } from './stream.ts'
import { times, tokenCount } from '../usage-records.ts'

export const gemini: Dialect = {
  name: 'gemini',
  paths,
  root: '/v1beta',
  namingHeader: 'x-goog-api-key',
  keyHeader: 'x-goog-api-key',
  keyInQuery: 'key',
  listField: 'contents',
  readPath,
  mostOutput: ({ generationConfig: config }) =>
    isObject(config) ? times(tokenCount(config.maxOutputTokens), tokenCount(config.candidateCount)) : undefined,
  guardedFields,
  settledFields,
  spelling: readSpelling,
  readRequest: readGeminiRequest,
  readResponse: readGeminiResponse,
  errorIn: geminiErrorIn,
  shownTexts: geminiTexts,
  carriedTexts: geminiCarriedTexts,
  requestTexts: geminiRequestTexts,
  streamLens: () => new GeminiStreamLens(),
  edit: {
    removeTools: removeGeminiTools,
    addTools: addGeminiTools,
    replaceResult: replaceGeminiResult,
    writeArguments: writeGeminiArguments,
    restore: restoreGemini,
    addNote: addGeminiNote,
    appendRound: appendGeminiRound,
    addMessages: addGeminiMessages,
    makeCall: makeGeminiCall,
  },
  idsOf: idsOfCalls,
  respond: {
    normalise: settleGeminiCalls,
    assistantMessage: geminiAssistantMessage,
    nativeCall: nativeGeminiCall,
    writeArguments: writeArgumentsOfGemini,
    dropCalls: dropGeminiCalls,
    mergeEarlier: mergeGeminiEarlier,
    appendText: appendGeminiText,
  },
  errorBody: geminiErrorBody,
  streamError: geminiStreamError,
  countAnswer: (totalTokens) => ({ totalTokens }),
  marks: { isIn: carriesMarks, without: withoutMarks },
  models: { entry: modelEntry, list: modelList },
}
