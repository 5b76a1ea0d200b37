/**
 * An MCP server of both eras that answers people only: a resource server of OAuth (RFC 9728) that takes access tokens of one
 * authorization server, for itself alone. Each person has notes of their own. Keeps what every request showed.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose'
import { z } from 'zod'

export interface ProtectedServerOptions {
  /** Issuer of its authorization server. Its keys are at `/jwks` there. */
  readonly authorizationServer: string
  /** Where those keys are instead. */
  readonly keys?: string
  /** What its tokens are for; its own address unless told otherwise. */
  readonly audience?: string
  /** Whether anybody may see which tools there are. */
  readonly listsForAnybody?: boolean
  /** A header with a secret of the person instead of a token: secret -> person. */
  readonly secrets?: { readonly header: string; readonly people: Readonly<Record<string, string>> }
}

export interface ProtectedServer extends AsyncDisposable {
  /** `http://127.0.0.1:port/mcp` */
  readonly url: string
  /** Headers of every request, oldest first. */
  readonly seen: readonly IncomingHttpHeaders[]
  /** What somebody has noted there. */
  notesOf(person: string): readonly string[]
  /** Takes none of the tokens any more that were shown so far. */
  forgetTokens(): void
}

const text = (value: unknown) => ({ content: [{ type: 'text' as const, text: typeof value === 'string' ? value : JSON.stringify(value) }] })

/** Tools: `whoami`, `notes`, and `remember`, which needs the scope `write`. */
export async function startProtectedServer(options: ProtectedServerOptions): Promise<ProtectedServer> {
  const { authorizationServer: issuer, secrets } = options
  const keys = createRemoteJWKSet(new URL(options.keys ?? `${issuer}/jwks`))
  const asking = new AsyncLocalStorage<JWTPayload>()
  const notes = new Map<string, string[]>()
  const seen: IncomingHttpHeaders[] = []
  const shown = new Set<string>()
  const refused = new Set<string>()
  const whose = (): string => asking.getStore()?.sub ?? 'nobody'

  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'notes', version: '1.0.0' })
    server.registerTool('whoami', { description: 'Says whose token it was shown', inputSchema: z.object({}) }, async () => {
      const { sub, act, scope, scp } = asking.getStore() ?? {}
      return text({ sub, act, scope: scope ?? scp })
    })
    server.registerTool('notes', { description: 'Lists your notes', inputSchema: z.object({}) }, async () =>
      text((notes.get(whose()) ?? []).join('\n')),
    )
    server.registerTool('remember', { description: 'Keeps a note', inputSchema: z.object({ note: z.string() }) }, async ({ note }) => {
      notes.set(whose(), [...(notes.get(whose()) ?? []), note])
      return text('kept')
    })
    return server
  })
  const serve = toNodeHandler(handler)

  async function whoAsks(headers: IncomingHttpHeaders): Promise<JWTPayload | undefined> {
    if (secrets !== undefined) {
      const sub = secrets.people[String(headers[secrets.header])]
      return sub === undefined ? undefined : { sub, scope: 'read write' }
    }
    const token = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1]
    if (token === undefined || refused.has(token)) return undefined
    const { payload } = await jwtVerify(token, keys, { issuer, audience: options.audience ?? url })
    shown.add(token)
    return payload
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/.well-known/oauth-protected-resource/mcp') {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ resource: url, authorization_servers: [issuer], scopes_supported: ['read', 'write'] }))
      return
    }
    seen.push(request.headers)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body =
      chunks.length === 0
        ? undefined
        : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as { method?: string; params?: { name?: string } })
    const claims = await whoAsks(request.headers).catch(() => undefined)
    const isOpen = options.listsForAnybody === true && body?.method !== 'tools/call'
    if (claims === undefined && !isOpen) return challenge(response, 401, headersShown(request.headers) ? 'invalid_token' : undefined)
    if (
      body?.params?.name === 'remember' &&
      !String(claims?.['scope'] ?? claims?.['scp'])
        .split(' ')
        .includes('write')
    )
      return challenge(response, 403, 'insufficient_scope', 'write')
    await asking.run(claims ?? {}, () => serve(request as Parameters<typeof serve>[0], response, body))
  }

  const headersShown = (headers: IncomingHttpHeaders): boolean => headers.authorization !== undefined
  function challenge(response: ServerResponse, status: number, error?: string, scope?: string): void {
    const metadata = `resource_metadata="${new URL(url).origin}/.well-known/oauth-protected-resource/mcp"`
    const parts = [...(error === undefined ? [] : [`error="${error}"`]), ...(scope === undefined ? [] : [`scope="${scope}"`]), metadata]
    response.writeHead(status, { 'www-authenticate': `Bearer ${parts.join(', ')}` }).end()
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  return {
    url,
    seen,
    notesOf: (person) => notes.get(person) ?? [],
    forgetTokens: () => shown.forEach((token) => refused.add(token)),
    async [Symbol.asyncDispose]() {
      await handler.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
