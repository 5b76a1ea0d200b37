/**
 * A real browser signs in: at an identity provider, and with an account of the gateway. What a scripted browser cannot show is
 * shown here: cookies, `form-action`, `Origin`, and pages that fit their window. `SIGN_IN_SCREENSHOTS=folder` keeps pictures.
 */
import { Secret, TOTP } from 'otpauth'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { startIdentityProvider, type IdentityProvider } from '../harness/identity-provider.ts'
import { launchChromium, looksRight, newWindow } from './chromium.ts'

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
  gateway = await startGateway({ config: { listen: { port }, identity: { issuers: { acme }, sign_in: { local: true, idle_ms: 60_000 } } } })
  browser = await launchChromium()
})
afterAll(async () => {
  await browser?.close()
  await gateway?.stop()
  await idp?.[Symbol.asyncDispose]()
})

test('a person signs in at the identity provider and out again', async () => {
  idp.signsIn(undefined)
  const { page, complaints, close } = await newWindow(browser)
  await page.goto(`${url.replace('127.0.0.1', 'localhost')}/sign-in`)
  expect(page.url()).toBe(`${url}/sign-in`)
  await looksRight(page, 'choice')
  await page.getByRole('link', { name: 'Continue with acme' }).click()
  await page.locator('input[name=login]').fill('alice')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
  expect(await page.locator('main').textContent()).toContain('alice@acme.example')
  expect(await page.evaluate('document.cookie')).not.toContain('session')
  await looksRight(page, 'signed-in')
  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
  await looksRight(page, 'signed-out')
  await page.goBack()
  await page.reload()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(complaints).toEqual([])
  await close()
})

test('a refusal of the identity provider is told', async () => {
  idp.signsIn('refuse')
  const { page, close } = await newWindow(browser)
  await page.goto(`${url}/sign-in/acme`)
  await page.getByRole('heading', { name: 'This did not work' }).waitFor()
  expect(await page.getByRole('alert').textContent()).toContain('access_denied')
  await looksRight(page, 'refused')
  await close()
})

test('somebody sets a password and codes with a link, keeps the recovery codes, and signs in with them', async () => {
  const { stdout } = await gateway.cli(['accounts', 'add', 'carla', '--role', 'admin', '--json'])
  const { link } = JSON.parse(stdout) as { link: string }
  const { page, complaints, close } = await newWindow(browser)
  await page.goto(link)
  await page.getByRole('img', { name: /QR code/ }).waitFor()
  await looksRight(page, 'set-password')
  const secret = ((await page.locator('.code').textContent()) ?? '').replaceAll(/\s/g, '')
  const code = (): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate()
  const fill = async (again: string): Promise<void> => {
    await page.getByLabel('New password', { exact: true }).fill('correct horse battery')
    await page.getByLabel('New password, again').fill(again)
    await page.getByLabel('Code from your app').fill(code())
    await page.getByRole('button', { name: 'Save and sign in' }).click()
  }
  await fill('another horse battery')
  await page.getByRole('alert').waitFor()
  await looksRight(page, 'set-password-again')
  await fill('correct horse battery')
  await page.getByRole('heading', { name: 'Keep your recovery codes' }).waitFor()
  await looksRight(page, 'recovery-codes')
  const [recovery = ''] = await page.locator('ul.codes code').allTextContents()
  await page.getByRole('link', { name: 'I have kept them' }).click()
  await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
  expect(await page.locator('main').textContent()).toContain('admin')
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await page.getByRole('link', { name: 'Sign in' }).click()

  const signIn = async (password: string, oneTime: string): Promise<void> => {
    await page.getByLabel('Account').fill('carla')
    await page.getByLabel('Password').fill(password)
    await page.getByLabel('Code from your app').fill(oneTime)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  await signIn('wrong horse battery', recovery)
  expect(await page.getByRole('alert').textContent()).toContain('Account, password or code is not right')
  expect(await page.getByLabel('Account').inputValue()).toBe('carla')
  await looksRight(page, 'wrong-password')
  await signIn('correct horse battery', recovery)
  await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
  expect(page.url()).toBe(`${url}/sign-in`)

  await page.goto(link)
  expect(await page.getByRole('alert').textContent()).toContain('The link was used before')
  await looksRight(page, 'link-used')
  expect(complaints).toEqual([])
  await close()
})

test('a session ends in the browser when its account is reset, and the cookie alone is worth nothing', async () => {
  const { stdout } = await gateway.cli(['accounts', 'add', 'dora', '--json'])
  const { page, close } = await newWindow(browser)
  await page.goto((JSON.parse(stdout) as { link: string }).link)
  const secret = ((await page.locator('.code').textContent()) ?? '').replaceAll(/\s/g, '')
  await page.getByLabel('New password', { exact: true }).fill('some good passphrase')
  await page.getByLabel('New password, again').fill('some good passphrase')
  await page.getByLabel('Code from your app').fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate())
  await page.getByRole('button', { name: 'Save and sign in' }).click()
  await page.getByRole('link', { name: 'I have kept them' }).click()
  await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
  expect((await gateway.cli(['accounts', 'reset', 'dora'])).code).toBe(0)
  await page.reload()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await close()
})
