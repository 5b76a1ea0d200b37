/** People sign in with a browser at a running gateway: at the identity provider of their company, or with an account of the gateway. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { codeOf, newAccount as addAccount, type LocalAccount } from '../harness/local-account.ts'
import { startIdentityProvider, type IdentityProvider } from '../harness/identity-provider.ts'
import { ScriptedBrowser } from '../harness/scripted-browser.ts'

let idp: IdentityProvider
let gateway: RunningGateway
let url = ''
beforeAll(async () => {
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  idp = await startIdentityProvider({ redirectUris: [`${url}/sign-in/acme/callback`, `${url}/sign-in/other/callback`] })
  gateway = await startGateway({ config: configOf(port, idp) })
})
afterAll(async () => {
  await gateway?.stop()
  await idp?.[Symbol.asyncDispose]()
})

function configOf(port: number, { issuer, gatewayClient }: IdentityProvider): object {
  const client = { ...gatewayClient, scopes: ['email', 'groups', 'offline_access'] }
  return {
    listen: { port },
    identity: {
      issuers: { acme: { issuer, audiences: ['turnward'], allow_http: true, user: 'email', groups: 'groups', provision: 'auto', client } },
      sign_in: { local: true },
    },
  }
}

const newAccount = (name: string, password: string): Promise<LocalAccount> => addAccount(gateway, name, password)

const whoIs = async (browser: ScriptedBrowser): Promise<string | undefined> =>
  /<dt>As<\/dt>\s*<dd>([^<]*)<\/dd>/.exec((await browser.open(`${url}/sign-in`)).text)?.[1]

describe('at the identity provider of a company', () => {
  test('a person signs in, is known by the claim of the configuration, and signs out', async () => {
    idp.signsIn('alice')
    const browser = new ScriptedBrowser()
    await browser.open(`${url}/sign-in`)
    expect(browser.page).toMatchObject({ status: 200, title: 'Sign in · Turnward' })
    await browser.click('Continue with acme')
    expect(browser.page).toMatchObject({ status: 200, title: 'You are signed in · Turnward', url: `${url}/sign-in` })
    expect(await whoIs(browser)).toBe('alice@acme.example')
    const before = new Map(browser.cookies)
    await browser.send('Sign out')
    expect(browser.page.title).toBe('You are signed out · Turnward')
    expect(await whoIs(browser)).toBeUndefined()
    for (const [name, value] of before) browser.cookies.set(name, value)
    expect(await whoIs(browser)).toBeUndefined()
  })

  test('a person comes back to where they wanted to go, and nowhere else', async () => {
    idp.signsIn('bob')
    const browser = new ScriptedBrowser()
    await browser.open(`${url}/sign-in/acme?return=${encodeURIComponent('/healthz?x=1')}`)
    expect(browser.page.url).toBe(`${url}/healthz?x=1`)
    await new ScriptedBrowser().open(`${url}/sign-in`)
    for (const away of ['https://evil.example/', '//evil.example/', '/\\evil.example']) {
      const other = new ScriptedBrowser()
      await other.open(`${url}/sign-in/acme?return=${encodeURIComponent(away)}`)
      expect(other.page.url).toBe(`${url}/sign-in`)
    }
  })

  test('what comes back to another browser, a second time, or with another state signs nobody in', async () => {
    idp.signsIn('alice')
    const browser = new ScriptedBrowser()
    await browser.open(`${url}/sign-in/acme`, { follow: false })
    const asked = new URL(browser.page.headers.get('location') ?? '')
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      nonce: expect.any(String),
    })
    const atProvider = new ScriptedBrowser()
    let back = asked.href
    while (!back.startsWith(url)) {
      await atProvider.open(back, { follow: false })
      back = new URL(atProvider.page.headers.get('location') ?? '', back).href
    }
    const stolen = new ScriptedBrowser()
    expect(await stolen.open(back)).toMatchObject({ status: 400 })
    expect(stolen.page.text).toContain('auth.sign_in_failed')
    expect(await whoIs(stolen)).toBeUndefined()
    const forged = new URL(back)
    forged.searchParams.set('iss', 'https://evil.example')
    const cookies = new Map(browser.cookies)
    expect(await browser.open(forged.href)).toMatchObject({ status: 400 })
    for (const [name, value] of cookies) browser.cookies.set(name, value)
    // Back at the callback of another issuer: nothing that was asked of this one is answered there.
    expect((await browser.open(back.replace('/sign-in/acme/', '/sign-in/other/'))).status).toBe(404)
    await browser.open(back)
    expect(await whoIs(browser)).toBe('alice@acme.example')
    for (const [name, value] of cookies) browser.cookies.set(name, value)
    expect((await browser.open(back)).status).toBe(400)
  })

  test('a refusal there is told here', async () => {
    idp.signsIn('refuse')
    const browser = new ScriptedBrowser()
    await browser.open(`${url}/sign-in/acme`)
    expect(browser.page).toMatchObject({ status: 403 })
    expect(browser.page.text).toContain('access_denied')
  })
})

describe('with an account of the gateway', () => {
  test('a link sets password and codes once; then they sign in, each code once', async () => {
    const password = 'correct horse battery'
    const { browser, secret, recovery, link } = await newAccount('carla', password)
    expect(browser.page.title).toBe('Keep your recovery codes · Turnward')
    expect(recovery).toHaveLength(10)
    expect(await whoIs(browser)).toBe('carla')
    expect(await new ScriptedBrowser().open(link)).toMatchObject({ status: 404 })
    const signIn = async (fields: Record<string, string>): Promise<ScriptedBrowser> => {
      const other = new ScriptedBrowser()
      await other.open(`${url}/sign-in`)
      await other.send('Sign in', { name: 'carla', password, ...fields })
      return other
    }
    // The code of the form that set it up was used there.
    const used = await signIn({ code: codeOf(secret, Date.now() - 30_000) })
    expect(used.page.status).toBe(401)
    const next = await signIn({ code: codeOf(secret, Date.now() + 30_000) })
    expect(next.page.title).toBe('You are signed in · Turnward')
    expect((await signIn({ code: codeOf(secret, Date.now() + 30_000) })).page.status).toBe(401)
    expect((await signIn({ code: recovery[0] ?? '' })).page.title).toBe('You are signed in · Turnward')
    expect((await signIn({ code: recovery[0] ?? '' })).page.status).toBe(401)
  })

  test('nobody learns what was wrong, or whether there is such an account, and is stopped after a few attempts', async () => {
    expect((await gateway.cli(['accounts', 'add', 'dave'])).code).toBe(0)
    const told = async (name: string): Promise<string> => {
      const browser = new ScriptedBrowser()
      await browser.open(`${url}/sign-in`)
      await browser.send('Sign in', { name, password: 'wrong password here', code: '000000' })
      return `${browser.page.status} ${/role="alert"\s*>([^<]*)</.exec(browser.page.text)?.[1]?.trim() ?? ''}`
    }
    const real: string[] = []
    const unreal: string[] = []
    for (let attempt = 0; attempt < 6; attempt += 1) {
      real.push(await told('dave'))
      unreal.push(await told('nobody'))
    }
    expect(unreal).toEqual(real)
    expect(real.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => expect.stringMatching(/^401 Account, password or code is not right/)))
    expect(real[5]).toMatch(/^429 Too many attempts/)
  })

  test('a reset ends the sessions and the password; a removed account is nobody', async () => {
    const { browser } = await newAccount('erin', 'some good passphrase')
    expect(await whoIs(browser)).toBe('erin')
    expect((await gateway.cli(['accounts', 'reset', 'erin'])).code).toBe(0)
    expect(await whoIs(browser)).toBeUndefined()
    expect(JSON.parse((await gateway.cli(['accounts', 'list', '--json'])).stdout)).toMatchObject({
      accounts: expect.arrayContaining([expect.objectContaining({ name: 'erin', status: 'waits for its link', codes: false })]),
    })
    expect((await gateway.cli(['accounts', 'remove', 'erin'])).code).toBe(0)
  })

  test('weak and unequal passwords and wrong codes use no link up', async () => {
    const { stdout } = await gateway.cli(['accounts', 'add', 'frank', '--json'])
    const { link } = JSON.parse(stdout) as { link: string }
    const browser = new ScriptedBrowser()
    await browser.open(link)
    for (const [fields, told] of [
      [{ password: 'short', again: 'short', code: '' }, 'at least 12'],
      [{ password: 'good enough words', again: 'other enough words', code: '' }, 'not the same'],
      [{ password: 'frank and his words', again: 'frank and his words', code: '' }, 'contains the name'],
      [{ password: 'good enough words', again: 'good enough words', code: '' }, 'The code is not the one'],
      [{ password: 'good enough words', again: 'good enough words', code: '123456' }, 'The code is not the one'],
    ] as const) {
      await browser.send('Save and sign in', fields)
      expect(browser.page.status).toBe(400)
      expect(browser.page.text).toContain(told)
    }
    expect((await new ScriptedBrowser().open(link)).status).toBe(200)
  })
})

describe('a form', () => {
  test('from another site, without its token or its cookie, or with the token of another browser does nothing', async () => {
    const { browser } = await newAccount('gina', 'her good passphrase')
    const other = new ScriptedBrowser()
    await other.open(`${url}/sign-in`)
    const token = /name="form" value="([^"]*)"/.exec(other.page.text)?.[1] ?? ''
    await browser.open(`${url}/sign-in`)
    for (const attempt of [
      { extra: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } },
      { extra: { 'sec-fetch-site': 'cross-site' } },
      { fields: { form: undefined } },
      { fields: { form: token } },
    ] as const) {
      Object.assign(browser.extra, 'extra' in attempt ? attempt.extra : {})
      await browser.send('Sign out everywhere', 'fields' in attempt ? attempt.fields : {})
      expect(browser.page).toMatchObject({ status: 403 })
      for (const name of Object.keys(browser.extra)) delete browser.extra[name]
      expect(await whoIs(browser)).toBe('gina')
    }
    await browser.send('Sign out everywhere')
    expect(await whoIs(browser)).toBeUndefined()
  })
})

test('nothing of all this is in the log', async () => {
  const secrets = ['correct horse battery', 'her good passphrase', '/set-password/']
  for (const secret of secrets) expect(gateway.logs()).not.toContain(secret)
})
