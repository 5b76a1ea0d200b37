/** What of a messages request is settled once it has been read, and what of an answer once it has been decided on: no transform changes it. */
import type { SettledFields } from '../../dialect.ts'

export const settledFields: SettledFields = {
  request: ['model', 'messages', 'system', 'stream', 'tools', 'tool_choice', 'mcp_servers', 'container'],
  answer: ['id', 'type', 'role', 'content', 'stop_reason', 'stop_sequence', 'usage', 'container', 'error'],
}
