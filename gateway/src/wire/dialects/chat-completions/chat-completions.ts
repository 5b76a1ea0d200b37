/** OpenAI's chat-completions dialect. */
import { ChatStreamLens } from './stream.ts'
import { guardedFields } from './guarded-fields.ts'
import { keptBatches } from './kept-batches.ts'
import { keptFiles, namedFiles } from './kept-files.ts'
import { paths } from './paths.ts'
import { addChatNote, addChatTools, appendChatRound, removeChatTools, replaceChatResult, restoreChat } from './edit.ts'
import { appendChatText, chatAssistantMessage, dropChatCalls, mergeChatEarlier, nativeChatCall, readChatResponse } from './answer.ts'
import { readChatRequest } from './request.ts'
import type { Dialect } from '../../dialect.ts'
import { normaliseAnswer } from './call-fields.ts'
import { chatErrorBody, chatErrorIn, chatStreamError } from './errors.ts'

export const chatCompletions: Dialect = {
  name: 'chat-completions',
  paths,
  root: '/v1',
  listField: 'messages',
  files: keptFiles,
  batches: keptBatches,
  namedFiles,
  guardedFields,
  readRequest: readChatRequest,
  readResponse: readChatResponse,
  errorIn: chatErrorIn,
  streamLens: (wantsUsage) => new ChatStreamLens(!wantsUsage),
  edit: {
    removeTools: removeChatTools,
    addTools: addChatTools,
    replaceResult: replaceChatResult,
    restore: restoreChat,
    addNote: addChatNote,
    appendRound: appendChatRound,
  },
  respond: {
    normalise: normaliseAnswer,
    assistantMessage: chatAssistantMessage,
    nativeCall: nativeChatCall,
    dropCalls: dropChatCalls,
    mergeEarlier: mergeChatEarlier,
    appendText: appendChatText,
  },
  errorBody: chatErrorBody,
  streamError: chatStreamError,
}
