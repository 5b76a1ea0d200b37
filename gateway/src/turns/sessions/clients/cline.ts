/** Cline. Nothing in its headers is its own: it is known by how its instructions begin. Its sub-agents are known by the task they were given. */
import { instructionsOf, type ClientAdapter } from './client-adapter.ts'

export const cline: ClientAdapter = {
  name: 'cline',
  made: (request) => instructionsOf(request).startsWith('You are Cline'),
  agentTools: new Set(['spawn_agent', 'use_subagents']),
}
