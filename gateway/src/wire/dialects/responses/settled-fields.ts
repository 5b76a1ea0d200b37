/** What of a responses request is settled once it has been read, and what of an answer once it has been decided on: no transform changes it. */
import type { SettledFields } from '../../dialect.ts'

export const settledFields: SettledFields = {
  request: [
    'model',
    'input',
    'instructions',
    'stream',
    'tools',
    'tool_choice',
    'previous_response_id',
    'conversation',
    'background',
    'prompt',
    'store',
    'include',
  ],
  answer: [
    'id',
    'object',
    'status',
    'output',
    'output_text',
    'usage',
    'error',
    'incomplete_details',
    'previous_response_id',
    'conversation',
    'instructions',
    'tools',
    'tool_choice',
    'prompt',
    'background',
    'store',
  ],
}
