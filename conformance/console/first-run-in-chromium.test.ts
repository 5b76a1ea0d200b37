/** The first minutes: the demo in the console, and a gateway of one's own from its first start to a governed call. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { runCli } from '../harness/cli.ts'
import { repositoryRoot } from '../harness/gateway-process.ts'
import { startAtTerminal } from '../harness/terminal.ts'
import { until } from '../harness/until.ts'
import { launchChromium, newWindow } from '../identity/chromium.ts'
import { looksRight } from './console-place.ts'

let browser: Browser
let folder: string
beforeAll(async () => {
  browser = await launchChromium()
  folder = await mkdtemp(join(tmpdir(), 'turnward-first-run-'))
})
afterAll(async () => {
  await browser?.close()
  await rm(folder, { recursive: true, force: true })
})

const env = (): Record<string, string> => ({ PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder })

test('the demo opens on its own turn: what was refused, why, and what would have allowed it', async () => {
  const child = spawn(process.execPath, [join(repositoryRoot, 'gateway/bin/turnward.mjs'), 'demo', '--port', String(await freePort())], {
    cwd: folder,
    env: env(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  try {
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    const [, link = '', turn = '', name = '', password = ''] = await until(
      'the link',
      () => /(http:\S+\/sign-in\?return=\/console\/turns\/(\S+))\n\s*account (\S+), password (\S+)/.exec(output) ?? undefined,
    )
    const { page, complaints, close } = await newWindow(browser)
    await page.goto(link)
    await page.getByLabel('Account').fill(name)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`**/console/turns/${turn}`)
    await page.getByText('Argument `to` names 1 reader').first().waitFor()
    await page.getByText('such as `mara@acme.example`').first().waitFor()
    await looksRight(page, 'demo')
    expect(complaints).toEqual([])
    await close()
  } finally {
    child.kill('SIGINT')
    await ended
  }
})

test('a gateway of one’s own: the link of its first start leads to what to do next, and a first call is ticked there', async () => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const configPath = join(folder, 'turnward.yaml')
  expect((await runCli(['init'], { cwd: folder, env: env() })).code).toBe(0)
  const starter = await readFile(configPath, 'utf8')
  // A model that is here, in the place of a vendor's.
  const text = starter
    .replace('port: 4100', `port: ${port}`)
    .replace('{ kind: openai, credential: openai-team }', '{ kind: scripted, steps: [{ text: "Hello." }] }')
  await writeFile(configPath, text)
  const gateway = await startAtTerminal(folder, configPath)
  try {
    const link = await until('the link', () => /http:\S+\/set-password\/[0-9A-Za-z]+/.exec(gateway.output())?.[0])
    const { page, complaints, close } = await newWindow(browser)
    await page.goto(link)
    await page.getByLabel('Name of the account').fill('root')
    const password = 'a long first passphrase'
    await page.getByLabel('New password', { exact: true }).fill(password)
    await page.getByLabel('New password, again').fill(password)
    await page.getByRole('button', { name: 'Save and sign in' }).click()
    await page.waitForURL(`${url}/console/start`)
    await page.getByText('Next: A first client').waitFor()
    await looksRight(page, 'first-start')

    const key = (await readFile(join(folder, '.turnward/dev.key'), 'utf8')).trim()
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5.5', messages: [{ role: 'user', content: 'Hello' }] }),
    })
    expect(response.status).toBe(200)
    await response.arrayBuffer()
    await until('the tick', async () => {
      await page.reload()
      await page.getByRole('list').first().waitFor()
      return page.getByText('Everything is set up').isVisible()
    })
    expect(complaints).toEqual([])
    await close()
  } finally {
    await gateway.stop()
  }
})
