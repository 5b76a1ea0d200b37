/** The MCP project's own client gets in by itself: it is told where to ask, a person signs in at the company's provider and allows it. */
import { createServer, type Server } from 'node:http'
import { Client, StreamableHTTPClientTransport, type OAuthClientProvider } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { startIdentityProvider, type IdentityProvider } from '../harness/identity-provider.ts'
import { ScriptedBrowser } from '../harness/scripted-browser.ts'
import { startModern, type ModernUpstream } from '../mcp/upstream-servers.ts'

let idp: IdentityProvider
let tools: ModernUpstream
let governed: GovernedGateway
let callback: Server
let url: string
let redirectUrl: string

beforeAll(async () => {
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  idp = await startIdentityProvider({ redirectUris: [`${url}/sign-in/acme/callback`] })
  tools = await startModern()
  callback = createServer((_request, response) => response.end('You can close this page.'))
  const callbackPort = await freePort()
  await new Promise<void>((resolve) => callback.listen(callbackPort, '127.0.0.1', resolve))
  redirectUrl = `http://127.0.0.1:${callbackPort}/callback`
  const { issuer, gatewayClient } = idp
  governed = await startGoverned((config) =>
    withParts({
      listen: { port },
      identity: {
        issuers: {
          acme: {
            issuer,
            audiences: ['turnward'],
            algorithms: ['ES256'],
            allow_http: true,
            user: 'email',
            provision: 'auto',
            client: { ...gatewayClient, scopes: ['email'] },
          },
        },
        oauth: {
          issuer: url,
          login: 'acme',
          registration: { dcr: true },
          clients: { desktop: { name: 'Desktop assistant', redirect_uris: ['http://127.0.0.1/callback'] } },
        },
      },
      principals: {},
      keys: {},
      grants: [{ principals: ['*'], gateways: ['main'], tools: ['modern__greet'] }],
      servers: { modern: { transport: 'http', url: tools.url } },
      gateways: { main: { servers: ['modern'] } },
    })(config),
  )
})
afterAll(async () => {
  await governed?.close()
  await new Promise((resolve) => callback?.close(resolve))
  await tools?.[Symbol.asyncDispose]()
  await idp?.[Symbol.asyncDispose]()
})

/** A client's memory; `asked` is where it would open a browser. */
function provider(clientId?: string): OAuthClientProvider & { asked: URL | undefined; saved: { access_token?: string } | undefined } {
  let verifier = ''
  let information = clientId === undefined ? undefined : { client_id: clientId }
  return {
    asked: undefined,
    saved: undefined,
    redirectUrl,
    clientMetadata: {
      client_name: 'Somebody',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => 'state-of-the-client',
    clientInformation: () => information as never,
    saveClientInformation: (given) => void (information = given as never),
    tokens() {
      return this.saved as never
    },
    saveTokens(given) {
      this.saved = given
    },
    redirectToAuthorization(address) {
      this.asked = address
    },
    saveCodeVerifier: (given) => void (verifier = given),
    codeVerifier: () => verifier,
  }
}

async function connect(authProvider: OAuthClientProvider): Promise<Client> {
  const client = new Client({ name: 'official', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp/main`), { authProvider }))
  return client
}

/** Goes where the client sends the person, and answers; resolves with what the client is told. */
async function answered(
  asked: URL | undefined,
  button: 'Allow' | 'Do not allow',
  browser = new ScriptedBrowser(),
): Promise<{ page: string; told: URLSearchParams }> {
  idp.signsIn('alice')
  const { text: page } = await browser.open(asked?.href ?? '')
  await browser.send(button, { decision: button === 'Allow' ? 'allow' : 'deny' })
  return { page, told: new URL(browser.page.url).searchParams }
}

test.each([
  ['one of the configuration', 'desktop', 'Desktop assistant'],
  ['one that registers itself', undefined, 'Somebody'],
])('%s is allowed and calls a tool for the person', async (_what, clientId, name) => {
  const auth = provider(clientId)
  await expect(connect(auth)).rejects.toThrow()
  const { page, told } = await answered(auth.asked, 'Allow')
  for (const text of [name, 'alice@acme.example', 'a program on this computer', 'modern__greet']) expect(page).toContain(text)
  expect([told.get('iss'), told.get('state')]).toEqual([url, 'state-of-the-client'])
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp/main`), { authProvider: auth })
  await transport.finishAuth(told)
  const client = await connect(auth)
  try {
    const result = await client.callTool({ name: 'modern__greet', arguments: { name: 'Alice' } })
    expect(JSON.stringify(result)).toContain('Alice')
    await governed.gateway.recordThat((record) => JSON.stringify(record).includes('alice@acme.example'))
  } finally {
    await client.close()
  }
})

test('one that is not allowed is told so, and stays outside', async () => {
  const auth = provider('desktop')
  await expect(connect(auth)).rejects.toThrow()
  const { told } = await answered(auth.asked, 'Do not allow')
  expect([told.get('error'), told.get('code')]).toEqual(['access_denied', null])
  await expect(connect(auth)).rejects.toThrow()
})
