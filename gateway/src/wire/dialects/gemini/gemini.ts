/** Google's Gemini dialect. */
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
import { addGeminiNote, addGeminiTools, appendGeminiRound, removeGeminiTools, replaceGeminiResult, restoreGemini } from './edit.ts'
import { geminiErrorBody, geminiErrorIn, geminiStreamError } from './errors.ts'
import { guardedFields } from './guarded-fields.ts'
import { carriesMarks, withoutMarks } from './hub/marks.ts'
import { modelEntry, modelList } from './models.ts'
import { paths, readPath } from './paths.ts'
import { readGeminiRequest } from './request.ts'
import { GeminiStreamLens } from './stream.ts'

export const gemini: Dialect = {
  name: 'gemini',
  paths,
  root: '/v1beta',
  namingHeader: 'x-goog-api-key',
  keyHeader: 'x-goog-api-key',
  keyInQuery: 'key',
  listField: 'contents',
  readPath,
  guardedFields,
  readRequest: readGeminiRequest,
  readResponse: readGeminiResponse,
  errorIn: geminiErrorIn,
  streamLens: () => new GeminiStreamLens(),
  edit: {
    removeTools: removeGeminiTools,
    addTools: addGeminiTools,
    replaceResult: replaceGeminiResult,
    restore: restoreGemini,
    addNote: addGeminiNote,
    appendRound: appendGeminiRound,
  },
  respond: {
    normalise: settleGeminiCalls,
    assistantMessage: geminiAssistantMessage,
    nativeCall: nativeGeminiCall,
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
