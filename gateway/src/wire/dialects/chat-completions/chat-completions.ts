/** OpenAI's chat-completions dialect. */
import { addChatMessages } from './added.ts'
import { makeChatCall } from './made-call.ts'
import { writeArgumentsOfChat, writeChatArguments } from './arguments.ts'
import { ChatStreamLens } from './stream.ts'
import { guardedFields } from './guarded-fields.ts'
import { settledFields } from './settled-fields.ts'
import { keptBatches } from './kept-batches.ts'
import { keptFiles, namedFiles } from './kept-files.ts'
import { paths } from './paths.ts'
import { addChatNote, addChatTools, appendChatRound, removeChatTools, replaceChatResult, restoreChat } from './edit.ts'
import { appendChatText, chatAssistantMessage, dropChatCalls, mergeChatEarlier, nativeChatCall, readChatResponse } from './answer.ts'
import { readChatRequest } from './request.ts'
import type { Dialect } from '../../dialect.ts'
import { normaliseAnswer } from './call-fields.ts'
import { chatErrorBody, chatErrorIn, chatStreamError } from './errors.ts'
import { times, tokenCount } from '../usage-records.ts'
import { chatCarriedTexts } from './carried-texts.ts'
import { chatRequestTexts } from './request-texts.ts'
import { chatTexts } from './shown-texts.ts'

export const chatCompletions: Dialect = {
  name: 'chat-completions',
  paths,
  root: '/v1',
  listField: 'messages',
  files: keptFiles,
  batches: keptBatches,
  namedFiles,
  mostOutput: ({ max_completion_tokens: completion, max_tokens: most, n }) =>
    times(tokenCount(completion) ?? tokenCount(most), tokenCount(n)),
  guardedFields,
  settledFields,
  readRequest: readChatRequest,
  readResponse: readChatResponse,
  errorIn: chatErrorIn,
  shownTexts: chatTexts,
  carriedTexts: chatCarriedTexts,
  requestTexts: chatRequestTexts,
  streamLens: (wantsUsage) => new ChatStreamLens(!wantsUsage),
  edit: {
    removeTools: removeChatTools,
    addTools: addChatTools,
    replaceResult: replaceChatResult,
    writeArguments: writeChatArguments,
    restore: restoreChat,
    addNote: addChatNote,
    appendRound: appendChatRound,
    addMessages: addChatMessages,
    makeCall: makeChatCall,
  },
  respond: {
    normalise: normaliseAnswer,
    assistantMessage: chatAssistantMessage,
    nativeCall: nativeChatCall,
    writeArguments: writeArgumentsOfChat,
    dropCalls: dropChatCalls,
    mergeEarlier: mergeChatEarlier,
    appendText: appendChatText,
  },
  errorBody: chatErrorBody,
  streamError: chatStreamError,
}
