/** The MCP project's own client, connected to an endpoint of the gateway in a chosen mode. Knows nothing about policy. */
import { Client, StreamableHTTPClientTransport, type ClientCapabilities, type VersionNegotiationMode } from '@modelcontextprotocol/client'

export interface ConnectOptions {
  readonly mode?: VersionNegotiationMode
  /** Legacy versions the client offers, best first. */
  readonly versions?: string[]
  /** MCP gateway, `main` unless told otherwise. */
  readonly gateway?: string
  /** What the client calls itself. */
  readonly name?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly capabilities?: ClientCapabilities
  /** Called before it connects: what it can be asked is to be answered by then. */
  readonly prepare?: (client: Client) => void
}

export const modes: readonly (readonly [string, VersionNegotiationMode])[] = [
  ['auto', 'auto'],
  ['legacy', 'legacy'],
  ['modern', { pin: '2026-07-28' }],
]

let clients = 0

/** Connects; rejects as the official client does. */
export async function connectClient(gatewayUrl: string, key: string, options: ConnectOptions = {}): Promise<Client> {
  const { mode = 'auto', versions, gateway = 'main', headers = {} } = options
  clients += 1
  const client = new Client(
    { name: options.name ?? `official-${clients}`, version: '1.0.0' },
    {
      versionNegotiation: { mode },
      ...(options.capabilities === undefined ? {} : { capabilities: options.capabilities }),
      ...(versions === undefined ? {} : { supportedProtocolVersions: versions }),
    },
  )
  options.prepare?.(client)
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${gatewayUrl}/mcp/${gateway}`), {
      requestInit: { headers: { authorization: `Bearer ${key}`, ...headers } },
    }),
  )
  return client
}

/** All text of a tool result. */
export function textOf(result: { readonly content: readonly unknown[] }): string {
  return result.content.map((part) => (part as { text?: string }).text ?? '').join('\n')
}

export async function toolNames(client: Client): Promise<string[]> {
  return (await client.listTools()).tools.map(({ name }) => name)
}
