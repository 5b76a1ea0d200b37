/** At the first start nobody could let anybody in: whoever sits at the terminal is given a link that makes the first administrator, once. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { runCli } from '../harness/cli.ts'
import { repositoryRoot } from '../harness/gateway-process.ts'
import { codeOf, shownRecovery, shownSecret } from '../harness/local-account.ts'
import { PageScript } from '../harness/page-script.ts'
import { ScriptedBrowser } from '../harness/scripted-browser.ts'
import { until } from '../harness/until.ts'

const password = 'correct horse battery'
// From util-linux: runs a command at a terminal of its own.
const hasTerminals = spawnSync('script', ['--version']).status === 0

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

interface Started {
  /** What stands at the terminal so far, its log included. */
  output(): string
  /** Resolves when it has ended. */
  stop(): Promise<void>
}

/** Resolves when it has said everything that it says at its start. */
async function startAtTerminal(folder: string, configPath: string): Promise<Started> {
  const command = `echo "pid $$ ."; exec '${process.execPath}' '${join(repositoryRoot, 'gateway/bin/turnward.mjs')}' start --config '${configPath}'`
  const child: ChildProcess = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let hasEnded = false
  void ended.then(() => (hasEnded = true))
  const pid = Number(await until('the process', () => /pid (\d+) \./.exec(output)?.[1]))
  const stop = async (): Promise<void> => {
    if (!hasEnded) process.kill(pid, 'SIGTERM')
    await ended
  }
  await until('the gateway to have started', async () => {
    if (hasEnded) throw new Error(`the gateway has ended: ${output}`)
    return output.includes('Turnward is ready') && (await heedsSignals(pid)) ? true : undefined
  })
  return { output: () => output, stop }
}

/** The last thing a start does is to listen to signals: to this one nobody else listens. */
async function heedsSignals(pid: number): Promise<boolean> {
  const [, caught = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  const hangup = 1n
  return (BigInt(`0x${caught}`) & hangup) !== 0n
}
