/**
 * The ways in of everything of OAuth: the authorization server below `/oauth`, and the documents clients look for. The server is
 * loaded with the first request that needs it, and where none is configured there is nothing here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { publicUrl } from '../../config/public-url.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { resourceMetadata } from './metadata.ts'
import { resourceAtPath } from './resources.ts'

export interface OAuthEntranceParts {
  readonly snapshot: () => Snapshot
  readonly server: () => Promise<AuthorizationServer>
}

/** One of them, as the table of entrances wants it. */
export interface OAuthEntrance {
  readonly path: string
  readonly methods: readonly string[] | 'own'
  readonly needs: 'anyone'
  readonly handle: (request: IncomingMessage, response: ServerResponse, parameter: string) => Promise<void> | void
}

const resourcePath = '/.well-known/oauth-protected-resource'
/** Clients of earlier and later revisions look in different places, some below the path of a gateway. */
const serverPaths = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

export function oauthEntrances({ snapshot, server }: OAuthEntranceParts): readonly OAuthEntrance[] {
  const toServer = async (request: IncomingMessage, response: ServerResponse, path?: string): Promise<void> => {
    const now = snapshot()
    const config = now.identity.oauth
    if (config === undefined) throw nothingHere()
    if (path !== undefined) request.url = path
    await (await server()).handle({ config, publicUrl: publicUrl(now), snapshot: now }, request, response)
  }
  const ofResource: OAuthEntrance['handle'] = (_request, response, parameter) => {
    const now = snapshot()
    const { issuers, oauth } = now.identity
    const authorizationServers = [...(oauth === undefined ? [] : [publicUrl(now)]), ...Object.values(issuers).map(({ issuer }) => issuer)]
    const resource = resourceAtPath(parameter === '' ? '' : `/${parameter}`)
    if (authorizationServers.length === 0 || resource === undefined) throw nothingHere()
    if (resource.kind === 'mcp' && !now.gateways.has(resource.gateway)) throw nothingHere()
    const document = resourceMetadata({ publicUrl: publicUrl(now), authorizationServers, takesProofs: oauth !== undefined }, resource)
    answerJson(response, document)
  }
  const entrance = (path: string, methods: OAuthEntrance['methods'], handle: OAuthEntrance['handle']): OAuthEntrance => ({
    path,
    methods,
    needs: 'anyone',
    handle,
  })
  return [
    entrance('/oauth/{rest...}', 'own', (request, response) => toServer(request, response)),
    ...serverPaths.flatMap((path) => [
      entrance(path, ['GET', 'OPTIONS'], (request, response) => toServer(request, response, path)),
      entrance(`${path}/{rest...}`, ['GET', 'OPTIONS'], (request, response, rest) => {
        if (resourceAtPath(`/${rest}`) === undefined) throw nothingHere()
        return toServer(request, response, path)
      }),
    ]),
    entrance(resourcePath, ['GET'], ofResource),
    entrance(`${resourcePath}/{rest...}`, ['GET'], ofResource),
  ]
}

/** Anybody may read it, from any page. */
function answerJson(response: ServerResponse, document: object): void {
  response
    .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=60', 'access-control-allow-origin': '*' })
    .end(JSON.stringify(document))
}

function nothingHere(): TurnwardError {
  return new TurnwardError('request.not_found', { why: 'no authorization server is configured for it' })
}
