/** The MCP project's own client gets in by itself: it is told where to ask, a person signs in at the company's provider and allows it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport, type OAuthClientProvider } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeAuthority } from '../harness/certificates.ts'
import { resolving } from '../harness/named-hosts.ts'
import { ScriptedBrowser } from '../harness/scripted-browser.ts'
import { clientMemory } from './mcp-client-memory.ts'
import { startCallback, startSignInPlace, type CallbackPlace, type SignInPlace } from './sign-in-place.ts'

let place: SignInPlace
let callback: CallbackPlace

/** A vendor of an application, who says at an address of their own what it is. */
interface VendorPlace extends AsyncDisposable {
  readonly document: string
  /** Certificate of the authority that vouches for the address: a file. */
  readonly trusted: string
}

async function startVendorPlace(): Promise<VendorPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'turnward-vendor-'))
  const authority = makeAuthority()
  const { cert, key } = authority.issue(['localhost'])
  const trusted = join(folder, 'authority.pem')
  await writeFile(trusted, authority.cert)
  const server = createServer({ cert, key }, (_request, response) => {
    const document = {
      client_id: `https://localhost:${portOf(server)}/client.json`,
      client_name: 'Assistant with a document',
      redirect_uris: [callback.redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    document: `https://localhost:${portOf(server)}/client.json`,
    trusted,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true })
    },
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

let vendor: VendorPlace

beforeAll(async () => {
  callback = await startCallback()
  vendor = await startVendorPlace()
  const desktop = { name: 'Desktop assistant', redirect_uris: ['http://127.0.0.1/callback'] }
  place = await startSignInPlace({
    oauth: { registration: { dcr: true, cimd: true, cimd_private_hosts: ['localhost'] }, clients: { desktop } },
    env: { NODE_EXTRA_CA_CERTS: vendor.trusted, ...resolving({ localhost: [['127.0.0.1']] }) },
  })
})
afterAll(async () => {
  await place?.[Symbol.asyncDispose]()
  await vendor?.[Symbol.asyncDispose]()
  await callback?.[Symbol.asyncDispose]()
})

const memory = (clientId?: string) =>
  clientMemory({
    redirectUrl: callback.redirectUri,
    ...(clientId === 'document' ? { clientMetadataUrl: vendor.document } : { clientId }),
  })
const endpoint = () => new URL(`${place.url}/mcp/main`)

async function connect(authProvider: OAuthClientProvider): Promise<Client> {
  const client = new Client({ name: 'official', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(endpoint(), { authProvider }))
  return client
}

/** Goes where the client sends the person, and answers; resolves with what the client is told. */
async function answered(
  asked: URL | undefined,
  button: 'Allow' | 'Do not allow',
  browser = new ScriptedBrowser(),
): Promise<{ page: string; told: URLSearchParams }> {
  place.idp.signsIn('alice')
  const { text: page } = await browser.open(asked?.href ?? '')
  await browser.send(button, { decision: button === 'Allow' ? 'allow' : 'deny' })
  return { page, told: new URL(browser.page.url).searchParams }
}

test.each([
  ['one of the configuration', 'desktop', 'Desktop assistant'],
  ['one that registers itself', undefined, 'Somebody'],
  ['one that says at an address of its own what it is', 'document', 'Assistant with a document'],
])('%s is allowed and calls a tool for the person', async (_what, clientId, name) => {
  const auth = memory(clientId)
  await expect(connect(auth)).rejects.toThrow()
  const { page, told } = await answered(auth.asked, 'Allow')
  for (const text of [name, 'alice@acme.example', 'a program on this computer', 'modern__greet']) expect(page).toContain(text)
  expect([told.get('iss'), told.get('state')]).toEqual([place.url, 'state-of-the-client'])
  const transport = new StreamableHTTPClientTransport(endpoint(), { authProvider: auth })
  await transport.finishAuth(told)
  const client = await connect(auth)
  try {
    const result = await client.callTool({ name: 'modern__greet', arguments: { name: 'Alice' } })
    expect(JSON.stringify(result)).toContain('Alice')
    await place.governed.gateway.recordThat((record) => JSON.stringify(record).includes('alice@acme.example'))
  } finally {
    await client.close()
  }
})

test('one that is not allowed is told so, and stays outside', async () => {
  const auth = memory('desktop')
  await expect(connect(auth)).rejects.toThrow()
  const { told } = await answered(auth.asked, 'Do not allow')
  expect([told.get('error'), told.get('code')]).toEqual(['access_denied', null])
  await expect(connect(auth)).rejects.toThrow()
})
