/** The MCP project's own client gets in by itself: it is told where to ask, a person signs in at the company's provider and allows it. */
import { Client, StreamableHTTPClientTransport, type OAuthClientProvider } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ScriptedBrowser } from '../harness/scripted-browser.ts'
import { clientMemory } from './mcp-client-memory.ts'
import { startCallback, startSignInPlace, type CallbackPlace, type SignInPlace } from './sign-in-place.ts'

let place: SignInPlace
let callback: CallbackPlace

beforeAll(async () => {
  callback = await startCallback()
  const desktop = { name: 'Desktop assistant', redirect_uris: ['http://127.0.0.1/callback'] }
  place = await startSignInPlace({ oauth: { registration: { dcr: true }, clients: { desktop } } })
})
afterAll(async () => {
  await place?.[Symbol.asyncDispose]()
  await callback?.[Symbol.asyncDispose]()
})

const memory = (clientId?: string) => clientMemory({ redirectUrl: callback.redirectUri, clientId })
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
