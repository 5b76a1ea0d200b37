/** Tools of this gateway that responses requests name by its address. */
import type { ServedTools } from '../../../served-tools.ts'
import { isServed } from './conversation.ts'
import { ResponsesServedRequest } from './request.ts'
import { namedServers } from './servers.ts'

export const servedTools: ServedTools = {
  servers: namedServers,
  isIn: ({ input }) => Array.isArray(input) && input.some(isServed),
  begin: (body, servers, emit) => new ResponsesServedRequest(body, servers, emit),
}
