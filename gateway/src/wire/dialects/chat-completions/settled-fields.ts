/** What of a chat-completions request is settled once it has been read, and what of an answer once it has been decided on: no transform changes it. */
import type { SettledFields } from '../../dialect.ts'

export const settledFields: SettledFields = {
  request: [
    'model',
    'messages',
    'stream',
    'stream_options',
    'n',
    'tools',
    'tool_choice',
    'functions',
    'function_call',
    'web_search_options',
  ],
  answer: ['id', 'object', 'choices', 'usage', 'error'],
}
