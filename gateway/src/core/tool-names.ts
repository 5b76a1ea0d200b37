/** How names of tools are put together: `server__tool`. */

/** What names of tools of the gateway itself begin with; no server may be called so. */
export const gatewayServer = 'turnward'

/** The server a name would belong to. Names of servers have no `__`, so there is one way to split. */
export function serverOfName(name: string): string | undefined {
  const end = name.indexOf('__')
  return end < 1 ? undefined : name.slice(0, end)
}
