/**
 * The console as people see it, on a real gateway: signing in, a stop made and lifted, and two roles that see different things. A call
 * that waits, and a refusal, are answers made by the test in the form of the contract. What
 * must hold on every page is asked on every page. `CONSOLE_SCREENSHOTS=folder` keeps pictures of them: light, dark, and narrow.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { approvalSchema, rulingSchema } from '../../contract/src/api/approvals.ts'
import { apiErrorSchema } from '../../contract/src/api/shared.ts'
import { freePort } from '../../scripts/services/free-port.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { startIdentityProvider, type IdentityProvider } from '../harness/identity-provider.ts'
import { launchChromium, newWindow, type Window } from '../identity/chromium.ts'

const screenshots = process.env['CONSOLE_SCREENSHOTS']
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let idp: IdentityProvider
let gateway: RunningGateway
let browser: Browser
let url = ''

beforeAll(async () => {
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  idp = await startIdentityProvider({ redirectUris: [`${url}/sign-in/acme/callback`] })
  const client = { ...idp.gatewayClient, scopes: ['email', 'groups'] }
  const acme = { issuer: idp.issuer, audiences: ['turnward'], allow_http: true, user: 'email', provision: 'auto', client }
  const roles = { operator: { people: ['alice@acme.example'] }, viewer: { people: ['bob@acme.example'] } }
  gateway = await startGateway({ config: { listen: { port }, identity: { issuers: { acme }, roles } } })
  browser = await launchChromium()
})
afterAll(async () => {
  await browser?.close()
  await gateway?.stop()
  await idp?.[Symbol.asyncDispose]()
})

/** A window at a page of the console, with somebody signed in by its own link. */
async function openAs(name: string, path: string): Promise<Window & { readonly foreign: readonly string[] }> {
  idp.signsIn(undefined)
  const opened = await newWindow(browser)
  const { page } = opened
  await page.goto(`${url}/console${path}`)
  await page.getByRole('link', { name: 'Sign in' }).click()
  if (new URL(page.url()).origin === url) await page.getByRole('link', { name: 'Continue with acme' }).click()
  await page.locator('input[name=login]').fill(name)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(`${url}/console${path}`)
  const foreign: string[] = []
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url) foreign.push(request.url())
  })
  return { ...opened, foreign }
}

/** No violation that axe finds, and nothing wider than its window: light, dark and on a telephone. */
async function looksRight(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [360, 1280]) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      const found = await page.evaluate(
        `${axe}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html).join(' ')))`,
      )
      expect(found).toEqual([])
      if (screenshots !== undefined)
        await page.screenshot({ path: join(screenshots, `${name}-${colorScheme}-${width}.png`), fullPage: true })
    }
}

test('whoever is not signed in is led there, and back to the page they wanted', async () => {
  const { page, complaints, close } = await newWindow(browser)
  await page.goto(`${url}/console/stops`)
  await page.getByRole('link', { name: 'Sign in' }).waitFor()
  await looksRight(page, 'signed-out')
  expect(complaints).toEqual([])
  await close()
  const window = await openAs('bob', '/stops')
  await window.page.getByRole('heading', { name: 'Stops' }).waitFor()
  await window.close()
})

test('an operator stops a tool and lets it run again', async () => {
  const { page, complaints, foreign, close } = await openAs('alice', '/stops')
  await page.getByText('Nothing is stopped').waitFor()
  await page.getByLabel('Kind').selectOption('tool')
  await page.getByLabel('Name').fill('mail__send')
  await page.getByLabel('Reason').fill('It sends twice')
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  await page.getByRole('cell', { name: 'mail__send', exact: true }).waitFor()
  await looksRight(page, 'stops')
  await page.getByRole('button', { name: 'Lift the stop of mail__send' }).click()
  await page.getByText('Nothing is stopped').waitFor()
  expect([complaints, foreign]).toEqual([[], []])
  await close()
})

test('a viewer sees what is stopped, and why they cannot change it', async () => {
  const { page, close } = await openAs('bob', '/stops')
  const stop = page.getByRole('button', { name: 'Stop', exact: true })
  expect(await stop.getAttribute('aria-disabled')).toBe('true')
  await page.getByText('needs the role operator').waitFor()
  await page.getByLabel('Name').fill('mail__send')
  await stop.click({ force: true })
  await page.getByRole('button', { name: 'Refresh' }).click()
  await page.getByText('Nothing is stopped').waitFor()
  await looksRight(page, 'stops-of-a-viewer')
  await close()
})

test('somebody without a role for a page is told which one it needs', async () => {
  const { page, close } = await openAs('alice', '/stops')
  const refusal = { code: 'auth.role', message: 'This needs a role (viewer).', subject: 'viewer', fix: 'Ask an administrator.' }
  apiErrorSchema.parse({ error: refusal })
  await page.route('**/api/upstreams', (route) => route.fulfill({ status: 403, json: { error: refusal } }))
  await page.getByRole('link', { name: 'Upstreams' }).click()
  const alert = await page.getByRole('alert').innerText()
  for (const words of [refusal.message, refusal.fix, refusal.code]) expect(alert).toContain(words)
  await looksRight(page, 'without-a-role')
  await close()
})

test('a call is read as it will run, and approved as it was read', async () => {
  const waiting = {
    id: 'apr_1',
    status: 'pending',
    tool: 'mail__send',
    principal: 'bob@acme.example',
    actor: 'assistant',
    reason: 'It sends to somebody outside',
    turn: null,
    created: 1_700_000_000_000,
    expires: 1_700_000_600_000,
    missing: 1,
    may_rule: true,
    session: 'ses_1',
    gateway: 'main',
    called_as: null,
    approvers: [],
    arguments: { to: 'eve@elsewhere.example' },
    shown: ['to: "eve@elsewhere.example"'],
    marks: [{ path: 'to', kind: 'look_alike', detail: 'e is Cyrillic' }],
    values: ['eve@elsewhere.example'],
    rulings: [],
    digest: 'digest-of-what-is-shown',
    link: null,
  }
  approvalSchema.parse(waiting)
  const { page, complaints, close } = await openAs('alice', '/approvals')
  let shown: object = waiting
  const sent: { readonly body: unknown; readonly headers: Record<string, string> }[] = []
  await page.route('**/api/approvals', (route) => route.fulfill({ json: { approvals: [waiting] } }))
  await page.route('**/api/approvals/apr_1', (route) => route.fulfill({ json: shown }))
  await page.route('**/api/approvals/apr_1/approve', (route) => {
    sent.push({ body: route.request().postDataJSON(), headers: route.request().headers() })
    shown = { ...waiting, status: 'approved', may_rule: false, missing: 0 }
    return route.fulfill({ json: shown })
  })
  const form = await page.evaluate("fetch('/api/me').then((answer) => answer.json()).then(({ form }) => form)")
  const { header, value } = form as { header: string; value: string }
  await page.getByRole('button', { name: 'Refresh' }).click()
  await page.getByRole('link', { name: 'mail__send' }).click()
  expect(await page.getByLabel('Arguments').innerText()).toBe(waiting.shown[0])
  await page.getByText('e is Cyrillic').waitFor()
  await looksRight(page, 'approval')
  await page.getByLabel('Reason').fill('Known customer')
  await page.getByLabel('Endorse').check()
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByText('Nothing is left to rule on').waitFor()
  const [{ body, headers } = { body: undefined, headers: {} }] = sent
  expect(rulingSchema.parse(body)).toEqual({ digest: waiting.digest, reason: 'Known customer', endorse: true })
  expect(headers[header.toLowerCase()]).toBe(value)
  expect(complaints).toEqual([])
  await close()
})

test.each(['approvals', 'upstreams', 'limits'])(
  'the page of %s can be read by everybody, in light and dark, on a telephone',
  async (name) => {
    const { page, complaints, foreign, close } = await openAs('bob', `/${name}`)
    await page.getByRole('button', { name: 'Refresh' }).waitFor()
    await looksRight(page, name)
    expect([complaints, foreign]).toEqual([[], []])
    await close()
  },
)
