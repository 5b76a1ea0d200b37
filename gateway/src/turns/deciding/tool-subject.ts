/** Something of a server as the engine sees it. */
import { gatewayServer, serverOfName } from '../../core/tool-names.ts'
import { clientRun, type ToolSubject } from '../../policy/types.ts'
import type { CatalogueEntry } from '../../tools/catalogue.ts'

export function subjectOf({ name, server, hints, reading }: CatalogueEntry): ToolSubject {
  if (server === gatewayServer) return { name, server, answeredHere: true }
  return { name, server, hints, reading }
}

/** What is told by its name: a tool of one of `servers`, as its server listed it where that is known, or one that a client runs itself. */
export function subjectByName(name: string, servers: { has(name: string): boolean }, listed: CatalogueEntry | undefined): ToolSubject {
  const server = serverOfName(name)
  if (server === gatewayServer) return { name, server, answeredHere: true }
  if (server === undefined || !servers.has(server)) return { name, server: clientRun }
  return listed === undefined ? { name, server } : subjectOf(listed)
}
