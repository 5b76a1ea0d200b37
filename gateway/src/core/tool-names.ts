/** How names of tools are put together: `server__tool`. */

/** What names of tools of the gateway itself begin with; no server may be called so. */
export const gatewayServer = 'turnward'

/** What the names begin with under which a model reads what retrievers have found; a server of this name may not stand beside them. */
export const contextServer = 'context'

/** Finds tools of a gateway that does not list them. */
export const searchToolName = `${gatewayServer}__search_tools`
/** Runs a tool by its name, for clients that call only what is listed. */
export const runToolName = `${gatewayServer}__run_tool`
/** Arguments of `run_tool`. */
export const runToolFields = { name: 'name', arguments: 'arguments' } as const

/** Those two: shown by gateways that do not list their tools. */
export const searchingToolNames: readonly string[] = [searchToolName, runToolName]

/** Answers bounded questions about a result that is withheld. */
export const askToolName = `${gatewayServer}__ask`

/** Does a task in a session of its own, and tells one bounded answer. */
export const isolatedToolName = `${gatewayServer}__isolated`

/** Tools of the gateway itself. */
export const ownToolNames: readonly string[] = [...searchingToolNames, askToolName, isolatedToolName]

/** The server a name would belong to. Names of servers have no `__`, so there is one way to split. */
export function serverOfName(name: string): string | undefined {
  const end = name.indexOf('__')
  return end < 1 ? undefined : name.slice(0, end)
}
