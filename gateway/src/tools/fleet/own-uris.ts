/**
 * URIs of a gateway for what several of its servers have under one URI: `turnward://server/URI`. The pages of tools keep the
 * scheme that hosts know them by (MCP Apps): `ui://turnward/server/…`.
 */
import { gatewayServer } from '../../core/tool-names.ts'

const ownScheme = 'turnward://'
const pageScheme = 'ui://'
const ownPages = `${pageScheme}${gatewayServer}/`

/** The gateway's URI for a URI of this server. It ends with the server's, so that templates stay templates. */
export function ownUri(server: string, uri: string): string {
  return uri.startsWith(pageScheme) ? `${ownPages}${server}/${uri.slice(pageScheme.length)}` : `${ownScheme}${server}/${uri}`
}

/** True for what only a gateway may mean; a server that has such a URI is shown under one of ours. */
export function looksOwn(uri: string): boolean {
  return uri.startsWith(ownScheme) || uri.startsWith(ownPages)
}

/** Which server's URI is meant; undefined when it is none of ours. */
export function readOwnUri(uri: string): { readonly server: string; readonly uri: string } | undefined {
  const isPage = uri.startsWith(ownPages)
  if (!isPage && !uri.startsWith(ownScheme)) return undefined
  const rest = uri.slice((isPage ? ownPages : ownScheme).length)
  const end = rest.indexOf('/')
  if (end < 1) return undefined
  return { server: rest.slice(0, end), uri: `${isPage ? pageScheme : ''}${rest.slice(end + 1)}` }
}
