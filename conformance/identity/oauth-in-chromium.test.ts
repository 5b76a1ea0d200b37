/**
 * A real browser between an application and the authorization server of the gateway: it signs in at the company's provider, reads
 * the page of ours, allows or not, and comes back to the application. What only a browser does is shown here: cookies, `Origin`,
 * `form-action`, frames, going back, and a session that ends in another tab.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientMemory, type ClientMemory } from '../callers/mcp-client-memory.ts'
import { startCallback, startSignInPlace, type CallbackPlace, type SignInPlace } from '../callers/sign-in-place.ts'
import { launchChromium, looksRight, newWindow } from './chromium.ts'

let place: SignInPlace
let callback: CallbackPlace
let browser: Browser
let hostile: Server

beforeAll(async () => {
  callback = await startCallback('<!doctype html><title>The application</title><link rel="icon" href="data:,">You can close this page.')
  const clients = {
    desktop: { name: 'Desktop assistant', redirect_uris: ['http://127.0.0.1/callback'] },
    portal: { name: 'The <Portal>', redirect_uris: ['https://portal.acme.example/callback'] },
    television: { name: 'Television', grants: ['device_code'] },
  }
  place = await startSignInPlace({ oauth: { registration: { dcr: true }, lifetimes: { interaction_seconds: 60 }, clients } })
  hostile = createServer()
  await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve))
  browser = await launchChromium()
})
afterAll(async () => {
  await browser?.close()
  hostile?.closeAllConnections()
  await new Promise((resolve) => hostile?.close(resolve))
  await place?.[Symbol.asyncDispose]()
  await callback?.[Symbol.asyncDispose]()
})

const transportOf = (authProvider: ClientMemory) => new StreamableHTTPClientTransport(new URL(`${place.url}/mcp/main`), { authProvider })

/** An application that was refused at the endpoint and knows where to send the person. */
async function refusedClient(clientId: string | null = 'desktop'): Promise<ClientMemory & { asked: URL }> {
  const auth = clientMemory({ redirectUrl: callback.redirectUri, clientId: clientId ?? undefined })
  await expect(new Client({ name: 'official', version: '1.0.0' }).connect(transportOf(auth))).rejects.toThrow()
  const { asked } = auth
  if (asked === undefined) throw new Error('the client would send nobody anywhere')
  return Object.assign(auth, { asked })
}

/** Opens what the application asks, and signs in where the provider asks who it is. */
async function openAsAlice(page: Page, { asked }: { readonly asked: URL }): Promise<void> {
  place.idp.signsIn(undefined)
  await page.goto(asked.href)
  await signInAs(page, 'alice')
}

async function signInAs(page: Page, name: string): Promise<void> {
  await page.locator('input[name=login]').fill(name)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const consent = (page: Page) => page.getByRole('button', { name: 'Allow', exact: true })
const title = (page: Page, name: string) => page.getByRole('heading', { name }).waitFor()

/** What the application is told when the browser has come back to it. */
async function told(page: Page): Promise<URLSearchParams> {
  await page.waitForURL(`${callback.redirectUri}?*`)
  return new URL(page.url()).searchParams
}

async function toolsOf(auth: ClientMemory): Promise<readonly string[]> {
  const client = new Client({ name: 'official', version: '1.0.0' })
  await client.connect(transportOf(auth))
  try {
    return (await client.listTools()).tools.map(({ name }) => name)
  } finally {
    await client.close()
  }
}

test('a person signs in, reads who asks for what, allows it, and the application lists the tools', async () => {
  const auth = await refusedClient()
  const { page, complaints, close } = await newWindow(browser)
  const answers: { readonly url: string; readonly headers: Promise<Record<string, string>> }[] = []
  page.on('response', (response) => answers.push({ url: response.url(), headers: response.allHeaders() }))
  await openAsAlice(page, auth)
  await title(page, 'Allow Desktop assistant?')
  const text = (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ')
  for (const words of [
    'Desktop assistant asks to act for you, alice@acme.example',
    'Your administrator has set it up',
    `The answer goes to a program on this computer (${callback.redirectUri})`,
    'use the tools modern__greet through the gateway main',
    'never more than you can do yourself',
  ])
    expect(text).toContain(words)
  // It asked for the gateway only.
  expect(text).not.toContain('gpt-test')
  const headers = (await answers.findLast(({ url }) => url === page.url())?.headers) ?? {}
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
  expect(headers['content-security-policy']).toContain("form-action 'self'")
  expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  expect(await page.evaluate('document.cookie')).toBe('')
  await looksRight(page, 'consent')
  // What must be read stands out, and refusing looks different from allowing.
  const ground = (selector: string) => page.evaluate(`getComputedStyle(document.querySelector('${selector}')).backgroundColor`)
  expect(await ground('.warning')).not.toBe(await ground('main p:not([class])'))
  expect(await ground('button[value=deny]')).not.toBe(await ground('button[value=allow]'))

  await consent(page).click()
  const parameters = await told(page)
  expect(parameters.get('state')).toBe('state-of-the-client')
  await transportOf(auth).finishAuth(parameters)
  expect(await toolsOf(auth)).toEqual(['modern__greet'])
  expect(complaints).toEqual([])
  await close()
})

test('a person who does not allow it goes back, and the application is told', async () => {
  const auth = await refusedClient()
  const { page, complaints, close } = await newWindow(browser)
  await openAsAlice(page, auth)
  await page.getByRole('button', { name: 'Do not allow' }).click()
  const parameters = await told(page)
  expect([parameters.get('error'), parameters.get('code'), parameters.get('iss')]).toEqual(['access_denied', null, place.url])
  await expect(transportOf(auth).finishAuth(parameters)).rejects.toThrow()
  expect(complaints).toEqual([])
  await close()
})

test('a person who refuses at the provider sees why, on a page of ours', async () => {
  place.idp.signsIn('refuse')
  const { page, close } = await newWindow(browser)
  await page.goto((await refusedClient()).asked.href)
  await title(page, 'This did not work')
  expect(await page.getByRole('alert').textContent()).toContain('access_denied')
  await close()
})

test('one that registered itself is warned of', async () => {
  const { page, close } = await newWindow(browser)
  await openAsAlice(page, await refusedClient(null))
  await title(page, 'Allow Somebody?')
  expect(await page.locator('main').innerText()).toContain('It has registered itself: nobody has checked its name')
  await looksRight(page, 'consent-registered')
  await close()
})

test('an answer that is given again, by going back, is told on a page that says what to do', async () => {
  const { page, close } = await newWindow(browser)
  await openAsAlice(page, await refusedClient())
  await consent(page).click()
  await told(page)
  await page.goBack()
  await title(page, 'This request has expired')
  expect(await page.locator('main').innerText()).toContain('Go back to the application and begin again')
  await looksRight(page, 'expired')
  await close()
})

test('a session that ends in another tab: whoever signs in again is asked again', async () => {
  const auth = await refusedClient()
  const { context, page, close } = await newWindow(browser)
  await openAsAlice(page, auth)
  await title(page, 'Allow Desktop assistant?')
  const other = await context.newPage()
  await other.goto(`${place.url}/sign-in`)
  await other.getByRole('button', { name: 'Sign out', exact: true }).click()
  await title(other, 'You are signed out')
  // The provider still knows the browser, or asks: either way the person is asked what they allow.
  place.idp.signsIn('alice')
  await consent(page).click()
  await title(page, 'Allow Desktop assistant?')
  await consent(page).click()
  await transportOf(auth).finishAuth(await told(page))
  expect(await toolsOf(auth)).toEqual(['modern__greet'])
  await close()
})

test('another person who has signed in in another tab does not answer for the first', async () => {
  const { context, page, close } = await newWindow(browser)
  await openAsAlice(page, await refusedClient())
  await title(page, 'Allow Desktop assistant?')
  const other = await context.newPage()
  await other.goto(`${place.url}/sign-in`)
  await other.getByRole('button', { name: 'Sign out', exact: true }).click()
  await context.clearCookies({ name: /^_session/ })
  place.idp.signsIn('bob')
  await other.goto(`${place.url}/sign-in/acme`)
  await title(other, 'You are signed in')
  expect(await other.locator('main').textContent()).toContain('bob@acme.example')
  await consent(page).click()
  expect((await told(page)).get('error')).toBe('access_denied')
  await close()
})

test('no page of others, not even one at the same host, shows ours in a frame or sends its form', async () => {
  const { context, page, close } = await newWindow(browser)
  await openAsAlice(page, await refusedClient())
  await title(page, 'Allow Desktop assistant?')
  const address = page.url()
  const { port } = hostile.address() as AddressInfo
  hostile.removeAllListeners('request').on('request', (request, response) => {
    response.setHeader('content-type', 'text/html')
    const framing = `<iframe src="${address}" width="600" height="600"></iframe>`
    const sending = `<form method="post" action="${address}"><input name="decision" value="allow"><button>Win a prize</button></form>`
    response.end(`<!doctype html><title>Hostile</title><link rel="icon" href="data:,">${request.url === '/frame' ? framing : sending}`)
  })
  // The same host at another port is the same site: cookies go along, and only what the page itself says stands between.
  for (const host of ['127.0.0.1', 'localhost']) {
    const other = await context.newPage()
    const refusals: string[] = []
    other.on('console', (message) => refusals.push(message.text()))
    await other.goto(`http://${host}:${port}/frame`)
    await expect.poll(() => refusals.join('\n')).toMatch(/frame-ancestors|X-Frame-Options/)
    expect(await other.frames()[1]?.getByRole('button', { name: 'Allow' }).count()).toBe(0)
    await other.goto(`http://${host}:${port}/form`)
    const answer = other.waitForResponse((response) => response.request().method() === 'POST')
    await other.getByRole('button', { name: 'Win a prize' }).click()
    expect((await answer).status()).toBe(host === 'localhost' ? 400 : 403)
    await other.waitForLoadState()
    expect(new URL(other.url()).origin).toBe(place.url)
    await title(other, host === 'localhost' ? 'This request has expired' : 'This did not work')
    await other.close()
  }
  // Nothing has happened to the question itself.
  await consent(page).click()
  expect((await told(page)).get('code')).not.toBeNull()
  await close()
})

test('an application that asks to be answered elsewhere: the browser stays here, and is told', async () => {
  const { asked } = await refusedClient()
  const { page, close } = await newWindow(browser)
  for (const uri of ['https://evil.example/callback', 'http://127.0.0.1:1/other', `${callback.redirectUri}/..//evil.example`]) {
    asked.searchParams.set('redirect_uri', uri)
    await page.goto(asked.href)
    await title(page, 'This cannot go on')
    expect(new URL(page.url()).origin).toBe(place.url)
  }
  await looksRight(page, 'cannot-go-on')
  await close()
})

test('an answer that leads to a host is named by it, and a name that looks like markup is a name', async () => {
  const { asked } = await refusedClient()
  asked.searchParams.set('client_id', 'portal')
  asked.searchParams.set('redirect_uri', 'https://portal.acme.example/callback')
  asked.searchParams.set('resource', place.url)
  asked.searchParams.set('scope', 'models mcp')
  const { page, close } = await newWindow(browser)
  await openAsAlice(page, { asked })
  await title(page, 'Allow The <Portal>?')
  const text = (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ')
  for (const words of [
    'The answer goes to portal.acme.example',
    'use the models gpt-test',
    'use the tools modern__greet through the gateway main',
  ])
    expect(text).toContain(words)
  await looksRight(page, 'consent-portal')
  await close()
})

/** A device that shows a code and asks again and again. */
async function startDevice() {
  const metadata = (await (await fetch(`${place.url}/.well-known/oauth-authorization-server`)).json()) as Record<string, string>
  const ask = async (endpoint: string, parameters: Record<string, string>) =>
    (await (
      await fetch(metadata[endpoint] ?? '', { method: 'POST', body: new URLSearchParams({ client_id: 'television', ...parameters }) })
    ).json()) as Record<string, string>
  const device = await ask('device_authorization_endpoint', { resource: `${place.url}/mcp/main` })
  const poll = () =>
    ask('token_endpoint', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: device['device_code'] ?? '' })
  return { device, poll }
}

test('a person connects a device with the code it shows', async () => {
  const { device, poll } = await startDevice()
  expect(await poll()).toMatchObject({ error: 'authorization_pending' })
  place.idp.signsIn('alice')
  const { page, complaints, close } = await newWindow(browser)
  // Where the address says the code, the person still looks at it, twice.
  await page.goto(device['verification_uri_complete'] ?? '')
  expect(await page.getByLabel('The code your device shows').inputValue()).toBe(device['user_code'])
  await looksRight(page, 'device-given-code')
  await page.goto(device['verification_uri'] ?? '')
  await page.getByLabel('The code your device shows').fill('AAAA-AAAA')
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByText('That did not work').waitFor()
  await looksRight(page, 'device-wrong-code')
  await page.getByLabel('The code your device shows').fill(device['user_code'] ?? '')
  await page.getByRole('button', { name: 'Go on' }).click()
  await title(page, 'Connect Television?')
  expect(await page.locator('main').innerText()).toContain(device['user_code'])
  await looksRight(page, 'device-code')
  await page.getByRole('button', { name: 'Go on' }).click()
  await title(page, 'Allow Television?')
  expect(await page.locator('main').innerText()).toContain('The answer goes to the device')
  await consent(page).click()
  await title(page, 'Connected')
  const { access_token: token } = await poll()
  expect(token).toBeDefined()
  expect(complaints).toEqual([])
  await close()
})

test('a person does not connect a device that is not theirs', async () => {
  const television = await startDevice()
  place.idp.signsIn('alice')
  const { page, complaints, close } = await newWindow(browser)
  await page.goto(television.device['verification_uri_complete'] ?? '')
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('button', { name: 'Do not connect' }).click()
  await title(page, 'Not connected')
  expect(await television.poll()).toMatchObject({ error: 'access_denied' })
  expect(complaints).toEqual([])
  await close()
})

test('a question that nobody answers in time is over, in the middle of signing in as well', async () => {
  const { page, close } = await newWindow(browser)
  const { page: slow, close: closeSlow } = await newWindow(browser)
  place.idp.signsIn(undefined)
  await slow.goto((await refusedClient()).asked.href)
  await openAsAlice(page, await refusedClient())
  await title(page, 'Allow Desktop assistant?')
  const address = page.url()
  const other = await page.context().newPage()
  // The server forgets it, whatever the browser keeps.
  await expect
    .poll(
      async () => {
        await other.goto(address)
        return other.title()
      },
      { interval: 3000, timeout: 120_000 },
    )
    .toContain('This request has expired')
  await consent(page).click()
  await title(page, 'This request has expired')
  await signInAs(slow, 'alice')
  await title(slow, 'This request has expired')
  await close()
  await closeSlow()
})
