/** Codex. Its header names have changed between versions. */
import { headerValue, type ClientAdapter, type ClientRequest } from './client-adapter.ts'

export const codex: ClientAdapter = {
  name: 'codex',
  made: (request) => request.headers['user-agent']?.startsWith('codex') === true || sessionOf(request) !== undefined,
  session: sessionOf,
  toolName: (name) => /^mcp__.+?__(.+)$/.exec(name)?.[1],
}

function sessionOf({ headers }: ClientRequest): string | undefined {
  return headerValue(headers, 'thread-id') ?? headerValue(headers, 'session-id') ?? headerValue(headers, 'session_id') ?? headerValue(headers, 'conversation_id')
}
