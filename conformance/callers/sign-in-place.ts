/** A company whose people sign in at its own provider and allow applications at the gateway: the provider, the gateway, and one MCP server behind it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePort } from '../../scripts/services/free-port.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { startIdentityProvider, type IdentityProvider } from '../harness/identity-provider.ts'
import { serversReady, startModern, type ModernUpstream } from '../mcp/upstream-servers.ts'

export interface SignInPlace extends AsyncDisposable {
  /** Public address of the gateway, and the issuer of its tokens. */
  readonly url: string
  readonly idp: IdentityProvider
  readonly tools: ModernUpstream
  readonly governed: GovernedGateway
}

export interface SignInPlaceOptions {
  /** Over `identity.oauth`. */
  readonly oauth?: object
  /** Over the sections of the configuration. */
  readonly parts?: Readonly<Record<string, object>>
  /** More variables the gateway sees. */
  readonly env?: Readonly<Record<string, string>>
}

/** Everybody who signs in may use `modern__greet` and the model `gpt-test`, and nothing else. */
export async function startSignInPlace({ oauth = {}, parts = {}, env = {} }: SignInPlaceOptions = {}): Promise<SignInPlace> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const idp = await startIdentityProvider({ redirectUris: [`${url}/sign-in/acme/callback`] })
  const tools = await startModern()
  const acme = {
    issuer: idp.issuer,
    audiences: ['turnward'],
    algorithms: ['ES256'],
    allow_http: true,
    user: 'email',
    provision: 'auto',
    client: { ...idp.gatewayClient, scopes: ['email'] },
  }
  const governed = await startGoverned(
    (config) =>
      withParts({
        listen: { port },
        identity: { issuers: { acme }, oauth: { issuer: url, login: 'acme', ...oauth } },
        principals: {},
        keys: {},
        grants: [{ principals: ['*'], models: ['gpt-test'], gateways: ['main'], tools: ['modern__greet'] }],
        servers: { modern: { transport: 'http', url: tools.url } },
        gateways: { main: { servers: ['modern'] } },
        contracts: { '*': { output: { trust: 'trusted' } } },
        ...parts,
      })(config),
    env,
  )
  await serversReady(url)
  return {
    url,
    idp,
    tools,
    governed,
    async [Symbol.asyncDispose]() {
      await governed.close()
      await tools[Symbol.asyncDispose]()
      await idp[Symbol.asyncDispose]()
    },
  }
}

export interface CallbackPlace extends AsyncDisposable {
  readonly redirectUri: string
}

/** Where an application on the person's machine waits for its answer; `html` is what it shows. */
export async function startCallback(html = 'You can close this page.'): Promise<CallbackPlace> {
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(html))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    redirectUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
