/**
 * The console as people see it, on a real gateway: signing in, a stop made and lifted, a call that waits and is approved, a client that
 * is connected, and two roles that see different things.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiErrorSchema } from '../../contract/src/api/shared.ts'
import { until } from '../harness/until.ts'
import { newWindow } from '../identity/chromium.ts'
import { connectClient, textOf } from '../mcp/official-client.ts'
import { carolsKey, looksRight, openConsolePlace, type ConsolePlace, type ConsoleWindow } from './console-place.ts'

let place: ConsolePlace
beforeAll(async () => {
  place = await openConsolePlace()
})
afterAll(() => place?.[Symbol.asyncDispose]())
const openAs = (name: string, path: string): Promise<ConsoleWindow> => place.openAs(name, path)

/** Opens the call that waits, once it does. */
async function openWaiting(page: Page): Promise<void> {
  const waiting = page.getByRole('link', { name: 'office__greet' })
  await until('a call to wait', async () => {
    await page.getByRole('button', { name: 'Refresh' }).click()
    return (await waiting.count()) > 0
  })
  await waiting.click()
}

test('whoever is not signed in is led there, and back to the page they wanted', async () => {
  const { page, complaints, close } = await newWindow(place.browser)
  await page.goto(`${place.url}/console/stops`)
  await page.getByRole('link', { name: 'Sign in' }).waitFor()
  await looksRight(page, 'signed-out')
  expect(complaints).toEqual([])
  await close()
  const window = await openAs('bob', '/stops')
  await window.page.getByRole('heading', { name: 'Stops' }).waitFor()
  await window.close()
})

test('who signs in is told what to do next, in order', async () => {
  const { page, close } = await openAs('alice', '/start')
  await page.getByText('Next: A first client').waitFor()
  expect(await page.locator('.steps li').allInnerTexts()).toEqual([
    ...['Upstreams', 'Routes', 'Grants', 'MCP servers'].map((name) => expect.stringMatching(new RegExp(`^✓ done\\s+${name}`))),
    expect.stringMatching(/^to do\s+A first client/),
    expect.stringMatching(/^✓ done\s+Contracts/),
  ])
  await close()
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

test('a call that waits is read as it will run, approved as it was read, and then runs', async () => {
  const { page, complaints, foreign, close } = await openAs('alice', '/approvals')
  await page.getByText('No call waits for you').waitFor()
  const agent = await connectClient(place.url, carolsKey)
  // Held until somebody rules on it. The name has a letter that looks like another one.
  const held = agent.callTool({ name: 'office__greet', arguments: { name: '\u0440aypal.com' } })
  await openWaiting(page)
  expect(await page.getByLabel('Arguments').innerText()).toContain('aypal.com')
  await page.getByText('mixes Latin and Cyrillic').waitFor()
  await looksRight(page, 'approval')
  await page.getByLabel('Reason').fill('Known customer')
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByText('Nothing is left to rule on').waitFor()
  expect(textOf(await held)).toBe('hello \u0440aypal.com')
  const ruled = await place.gateway.recordThat((record) => JSON.stringify(record).includes('"event":"approved"'))
  expect(ruled).toMatchObject({ principal: 'carol', approval: { by: 'alice@acme.example', via: 'api' } })
  await page.getByRole('link', { name: 'Approvals' }).click()
  await page.getByText('No call waits for you').waitFor()
  await page.getByRole('link', { name: 'All, also those that are over' }).click()
  await page.getByRole('cell', { name: 'used' }).waitFor()
  expect([complaints, foreign]).toEqual([[], []])
  await agent.close()
  await close()
})

test('a call that is denied does not run', async () => {
  const { page, close } = await openAs('alice', '/approvals')
  const agent = await connectClient(place.url, carolsKey)
  const held = agent.callTool({ name: 'office__greet', arguments: { name: 'Eve' } })
  await openWaiting(page)
  await page.getByRole('button', { name: 'Deny' }).click()
  await page.getByText('Nothing is left to rule on').waitFor()
  expect(await held).toMatchObject({ isError: true })
  await agent.close()
  await close()
})

test('a client is led to this gateway by what the page says', async () => {
  const { page, complaints, foreign, close } = await openAs('bob', '/connect')
  await page.getByRole('link', { name: 'Claude Code' }).waitFor()
  await looksRight(page, 'connect')
  await page.getByRole('link', { name: 'Claude Code' }).click()
  await page.getByText('turnward keys create --principal bob@acme.example').waitFor()
  const settings = page.getByLabel('~/.claude.json, or .mcp.json in a project', { exact: true })
  expect(JSON.parse(await settings.innerText())).toMatchObject({ mcpServers: { turnward: { url: `${place.url}/mcp/main` } } })
  // What is not granted is not offered.
  expect(await page.locator('#models option').evaluateAll((all) => all.map((one) => one.getAttribute('value')))).toEqual([
    'gpt-5.5',
    'claude-*',
  ])
  await page.getByLabel('Model').fill('claude-opus-5')
  await page.getByText('claude --model claude-opus-5').waitFor()
  expect(page.url()).toContain('model=claude-opus-5')
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByRole('button', { name: 'Copy In the shell it is started from' }).click()
  await page.getByText('Copied').waitFor()
  expect(await page.evaluate('navigator.clipboard.readText()')).toContain('claude --model claude-opus-5')
  await page.getByText('Waiting for the first request').waitFor()
  const made = await place.gateway.cli(['keys', 'create', '--principal', 'bob@acme.example', '--json'])
  const { key } = JSON.parse(made.stdout) as { readonly key: string }
  await until('the key to be known', async () => {
    const { status } = await fetch(`${place.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'claude-opus-5', max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] }),
    })
    return status === 200
  })
  await page.getByText('✓ It works').waitFor()
  await looksRight(page, 'connect-claude-code')
  expect([complaints, foreign]).toEqual([[], []])
  await close()
})

test('everything is reached by the keyboard', async () => {
  const { page, complaints, close } = await openAs('alice', '/stops')
  await page.getByText('Nothing is stopped').waitFor()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Go to' }).fill('codex')
  await page.getByRole('option', { name: /Connect Codex/ }).waitFor()
  await looksRight(page, 'command-menu')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Connect Codex' }).waitFor()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('clients')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Connect a client' }).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('k')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Connect Codex' }).waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
  await looksRight(page, 'keyboard')
  // Whoever speaks to their computer switches single letters off.
  await page.getByLabel('Keys that are one letter').uncheck()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('?')
  expect(await page.getByRole('dialog').count()).toBe(0)
  expect(complaints).toEqual([])
  await close()
})

test('people are listed, and shut out by an administrator alone', async () => {
  const { page: first, close: closeFirst } = await openAs('carla', '/people')
  await first.getByRole('alert').waitFor()
  const { page, close } = await openAs('bob', '/people')
  await page.getByRole('link', { name: 'carla@acme.example' }).click()
  await page.getByText('needs the role admin').waitFor()
  await looksRight(page, 'person')
  await close()
  const { page: admin, complaints, close: closeAdmin } = await openAs('alice', '/people')
  await admin.getByRole('link', { name: 'carla@acme.example' }).click()
  await admin.getByRole('button', { name: 'Shut carla@acme.example out' }).click()
  await admin.getByText('disabled').waitFor()
  await first.reload()
  await first.getByRole('alert').waitFor()
  expect(await first.getByRole('alert').innerText()).toMatch(/auth\.(?:disabled|signed_out)/)
  expect(complaints).toEqual([])
  await closeAdmin()
  await closeFirst()
})

test('on a telephone the pages are behind a button, and a stop can be lifted without looking for how', async () => {
  const { page, close } = await openAs('alice', '/stops')
  await page.setViewportSize({ width: 360, height: 800 })
  await page.getByLabel('Name').fill('mail__send')
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  const lift = page.getByRole('button', { name: 'Lift the stop of mail__send' })
  await lift.waitFor()
  const box = await lift.boundingBox()
  expect((box?.x ?? 0) + (box?.width ?? 360)).toBeLessThan(360)
  await lift.click()
  await page.getByText('Nothing is stopped').waitFor()
  await page.getByRole('button', { name: 'Pages' }).click()
  await page.getByRole('link', { name: 'Limits' }).click()
  await page.getByRole('heading', { name: 'Limits' }).waitFor()
  expect(await page.getByRole('link', { name: 'Limits' }).isVisible()).toBe(false)
  await close()
})

test('limits say what is used and left', async () => {
  const { page, complaints, close } = await openAs('bob', '/limits')
  await page.getByRole('cell', { name: /^principal carol$/ }).waitFor()
  await page
    .getByRole('cell', { name: /\d+ of 10000$/ })
    .first()
    .waitFor()
  await page.getByRole('meter', { name: 'calls carol' }).waitFor()
  await page.getByRole('cell', { name: '$0.00 of $200.00' }).waitFor()
  expect(complaints).toEqual([])
  await close()
})

test.each(['approvals', 'upstreams', 'limits', 'people', 'credentials'])(
  'the page of %s can be read by everybody, in light and dark, on a telephone',
  async (name) => {
    const { page, complaints, foreign, close } = await openAs('bob', `/${name}`)
    await page.getByRole('button', { name: 'Refresh' }).waitFor()
    await looksRight(page, name)
    expect([complaints, foreign]).toEqual([[], []])
    await close()
  },
)
