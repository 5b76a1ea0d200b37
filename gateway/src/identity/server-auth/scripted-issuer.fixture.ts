/** A server that is protected and its authorization server, on sockets, each as a test says. Not part of the product. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** What is answered at a path: a status and a JSON body; undefined: 404. */
export type Answers = (
  seen: Seen,
) => { readonly status?: number; readonly body: unknown; readonly headers?: Record<string, string> } | undefined

export interface Scripted extends AsyncDisposable {
  readonly origin: string
  readonly seen: readonly Seen[]
  /** Requests at this path. */
  at(path: string): readonly Seen[]
  answers: Answers
}

export async function startScripted(answers: Answers): Promise<Scripted> {
  const seen: Seen[] = []
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const each = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
      seen.push(each)
      const said = scripted.answers(each)
      response.writeHead(said?.status ?? (said === undefined ? 404 : 200), { 'content-type': 'application/json', ...said?.headers })
      response.end(JSON.stringify(said?.body ?? {}))
    })
  }
  const server: Server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const scripted: Scripted = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    at: (path) => seen.filter((each) => each.path === path),
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return scripted
}

/** Metadata of an authorization server at this origin, with what differs. */
export function issuerDocument(issuer: string, differing: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    code_challenge_methods_supported: ['S256'],
    ...differing,
  }
}
