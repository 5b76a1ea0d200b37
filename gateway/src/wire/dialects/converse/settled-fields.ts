/** What of a Converse request is settled once it has been read, and what of an answer once it has been decided on: no transform changes it. */
import type { SettledFields } from '../../dialect.ts'

export const settledFields: SettledFields = {
  request: [
    'model',
    'messages',
    'system',
    'stream',
    'toolConfig',
    'input',
    'promptVariables',
    'additionalModelRequestFields/tools',
    'additionalModelRequestFields/tool_choice',
    'additionalModelRequestFields/mcp_servers',
    'additionalModelRequestFields/messages',
    'additionalModelRequestFields/system',
  ],
  answer: ['output', 'stopReason', 'usage'],
}
