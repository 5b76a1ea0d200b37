/** At the first start nobody could let anybody in: whoever sits at the terminal is given a link that makes the first administrator, once. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { runCli } from '../harness/cli.ts'
import { codeOf, shownRecovery, shownSecret } from '../harness/local-account.ts'
import { PageScript } from '../harness/page-script.ts'
import { ScriptedBrowser } from '../harness/scripted-browser.ts'
import { hasTerminals, startAtTerminal, type Started } from '../harness/terminal.ts'
import { until } from '../harness/until.ts'

const password = 'correct horse battery'

describe.skipIf(!hasTerminals)('a gateway that is started at a terminal', () => {
  let folder: string
  let configPath: string
  let url: string
  const started: Started[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turnward-first-'))
    configPath = join(folder, 'turnward.yaml')
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    await writeFile(configPath, JSON.stringify({ listen: { port }, identity: { sign_in: { local: true } } }))
  })
  afterAll(async () => {
    for (const one of started) await one.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const start = async (): Promise<Started> => {
    const one = await startAtTerminal(folder, configPath)
    started.push(one)
    return one
  }
  const linksIn = (text: string): string[] =>
    [...text.matchAll(/http:\/\/127\.0\.0\.1:\d+\/set-password\/[0-9A-Za-z]+/g)].map(([link]) => link)

  test('shows a link there, which makes one administrator with a good password and codes, and no second one', async () => {
    const gateway = await start()
    // What stands at a terminal passes through it: it may be seen later than what the process did after it.
    const link = await until('the link', () => linksIn(gateway.output())[0])
    expect(gateway.output()).toContain('There is no administrator yet')

    const browser = new ScriptedBrowser()
    await browser.open(link)
    const secret = shownSecret(browser)
    const late = new ScriptedBrowser()
    await late.open(link)
    for (const [fields, told] of [
      [{ name: 'no spaces', password, again: password }, 'The name needs'],
      [{ name: 'root', password: 'short', again: 'short' }, 'at least 12'],
      [{ name: 'root', password: 'root and his words', again: 'root and his words' }, 'contains the name'],
      [{ name: 'root', password, again: password, code: '' }, 'The code is not the one'],
      [{ name: 'root', password, again: password, code: '123' }, 'The code is not the one'],
    ] as const) {
      await browser.send('Save and sign in', { code: codeOf(secret), ...fields })
      expect(browser.page.status).toBe(400)
      expect(browser.page.text).toContain(told)
    }
    await browser.send('Save and sign in', { name: 'root', password, again: password, code: codeOf(secret) })
    expect(shownRecovery(browser)).toHaveLength(10)
    const script = new PageScript(url, browser)
    expect((await script.ask('GET', '/api/me')).json).toMatchObject({
      id: 'root',
      roles: ['viewer', 'operator', 'policy_author', 'admin'],
    })

    // Whoever had it open, and whoever opens it now.
    await late.send('Save and sign in', { name: 'mallory', password, again: password, code: codeOf(shownSecret(late)) })
    expect([late.page.status, late.page.text.includes('auth.link_used')]).toEqual([404, true])
    expect((await new ScriptedBrowser().open(link)).status).toBe(404)
    const people = (await script.ask('GET', '/api/people')).json['people'] as { id: string }[]
    expect(people.map(({ id }) => id)).toEqual(['root'])
    await gateway.stop()
    expect(linksIn(gateway.output())).toEqual([link])
    // The link is for the terminal: it is on no line of the log.
    expect(
      gateway
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{') && line.includes('set-password')),
    ).toEqual([])
  })

  test('shows none once there is an administrator, who signs in with password and code', async () => {
    const gateway = await start()
    const browser = new ScriptedBrowser()
    await browser.open(`${url}/sign-in`)
    await browser.send('Sign in', { name: 'root', password, code: '' })
    expect(browser.page.status).toBe(401)
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, TURNWARD_CONFIG: configPath }
    const { stdout } = await runCli(['accounts', 'list', '--json'], { env, cwd: folder })
    expect(JSON.parse(stdout)).toMatchObject({ accounts: [{ name: 'root', status: 'active', codes: true, recovery_codes: 10 }] })
    await gateway.stop()
    expect(gateway.output()).not.toContain('administrator')
  })
})
