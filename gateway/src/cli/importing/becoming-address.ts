/** A server at an address, from what a client has of it. */
import { connectionHeaders } from '../../http1/header-fields.ts'
import { addressText, headerText, type TextContext } from './config-text.ts'
import type { DeclaredAddress } from './declared-server.ts'
import { cannot, type Made } from './planned-server.ts'

/** Said by whoever makes a request. */
const perRequest: ReadonlySet<string> = new Set([
  'accept',
  'content-type',
  'content-length',
  'user-agent',
  'mcp-protocol-version',
  'mcp-session-id',
])

/** `isOwn`: whether an address is one of this gateway. */
export function addressBecomes({ url, transport, headers }: DeclaredAddress, context: TextContext, isOwn: (url: string) => boolean): Made {
  if (isOwn(url)) return { becomes: { kind: 'left', why: 'it is this gateway' }, findings: [], notes: [] }
  if (transport === 'sse')
    return cannot(
      'HTTP with SSE, the transport of 2024-11-05, is not spoken to servers',
      'ask for its address of streamable HTTP (often the same with `/mcp` in the place of `/sse`), write it in the client with `type: http`, and import again',
    )
  if (!/^https?:\/\//i.test(url) && !url.includes('${'))
    return cannot('its address is none of http:// or https://', 'correct it in the client and import again')
  const notes: string[] = []
  const kept = Object.entries(headers).filter(([name]) => {
    const isSet = perRequest.has(name.toLowerCase()) || connectionHeaders.has(name.toLowerCase())
    if (isSet) notes.push(`the header \`${name}\` is left out, because the gateway sets it`)
    return !isSet
  })
  const written = Object.fromEntries(kept.map(([name, value]) => [name, headerText(name, value, context)]))
  const entry = { transport: 'http' as const, url: addressText(url, context), ...(kept.length === 0 ? {} : { headers: written }) }
  return { becomes: { kind: 'address', entry }, findings: [], notes }
}
