/** The authorization server of an MCP server, as the client that the configuration says the gateway is there. */
import { reachOf, noCredential } from '../server-auth/authorization-code.ts'
import type { Challenge, ServerAuthOf } from '../server-auth/auth-kind.ts'
import { NotReached, reachingFetch } from '../server-auth/reaching.ts'
import { canonicalAddress, discoverIssuer, discoverServer, trusting } from '../server-auth/server-discovery.ts'
import type { McpServer } from '../../config/snapshot.ts'
import { clientAuthentication } from './client-authentication.ts'
import type { ServerAuthorization } from './issued-kinds.ts'
import { addressOf } from './link.ts'

/** Rejects with `mcp.no_credential`. */
export async function authorizationOf(
  server: McpServer,
  auth: ServerAuthOf<'id_jag'>,
  signal: AbortSignal,
  challenge: Challenge | undefined,
): Promise<ServerAuthorization> {
  try {
    const { authorization_server: named, client, resource } = auth
    const reach = trusting(reachOf(auth), named === undefined ? [] : [named])
    const url = addressOf(server)
    const found =
      named === undefined
        ? await discoverServer({ url, challenge, allowed: [], preferred: [], reach, signal })
        : { issuer: await discoverIssuer(named, reach, signal), resource: canonicalAddress(url) }
    if (found === undefined) throw new NotReached('the server names no authorization server')
    const { id, ...proof } = client
    return {
      endpoint: {
        server: { issuer: found.issuer.issuer, token_endpoint: found.issuer.token_endpoint },
        client: { client_id: id },
        authentication: clientAuthentication(proof),
        allowHttp: reach.allowHttp,
        fetch: reachingFetch(reach),
      },
      resource: resource === false ? undefined : (resource ?? found.resource),
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw noCredential(server.name, error)
  }
}
