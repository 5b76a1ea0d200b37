/** A key as an administrator makes, renews and revokes it in the console, and as an agent uses it meanwhile. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { looksRight, openConsolePlace, type ConsolePlace } from './console-place.ts'

let place: ConsolePlace
beforeAll(async () => {
  place = await openConsolePlace()
})
afterAll(() => place?.[Symbol.asyncDispose]())

async function statusWith(key: string, model = 'gpt-5.5'): Promise<number> {
  const response = await fetch(`${place.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
  })
  await response.arrayBuffer()
  return response.status
}

test('a key is made for one model, used, given a new secret, and revoked; each is on record', async () => {
  const { page, complaints, foreign, close } = await place.openAs('alice', '/keys')
  await page.getByText('No key was made yet').waitFor()
  await page.getByText('Make a key').click()
  await page.getByLabel('For whom').fill('carol')
  await page.getByLabel('Application').fill('laptop')
  await page.getByLabel('Only these models').fill('gpt-5.5')
  await page.getByRole('button', { name: 'Make', exact: true }).click()
  const shown = page.getByLabel('Key of carol', { exact: true })
  const first = (await shown.innerText()).trim()
  expect(first).toMatch(/^tw_\w{40,}/)
  await until('the key to be good', async () => (await statusWith(first)) === 200)
  // As if there were no such model.
  expect(await statusWith(first, 'claude-sonnet-5')).toBe(404)
  await page.getByRole('cell', { name: /models, mcp; models: gpt-5\.5/ }).waitFor()
  await looksRight(page, 'keys')

  await page.getByRole('button', { name: /^New secret for/ }).click()
  await page.getByText('The secret it had before is good until').waitFor()
  const second = (await shown.innerText()).trim()
  expect(second).not.toBe(first)
  await until('the new secret to be good', async () => (await statusWith(second)) === 200)

  await page.getByRole('button', { name: /^Revoke/ }).click()
  await page.getByRole('dialog', { name: 'Revoke a key' }).waitFor()
  await looksRight(page, 'keys-revoking')
  await page.getByRole('button', { name: 'Keep it' }).click()
  expect(await statusWith(second)).toBe(200)
  await page.getByRole('button', { name: /^Revoke/ }).click()
  await page.getByRole('button', { name: 'Revoke it' }).click()
  await page.getByRole('cell', { name: 'revoked', exact: true }).waitFor()
  await until('the key to be refused', async () => (await statusWith(second)) === 401 && (await statusWith(first)) === 401)

  // Not a second time: the page was left, and the key with it.
  await page.reload()
  await page.getByRole('cell', { name: 'revoked', exact: true }).waitFor()
  expect(await shown.count()).toBe(0)
  const records = (await place.gateway.turnRecords()).filter(({ kind }) => kind === 'configuration')
  expect(records.map(({ reason, principal }) => [principal, reason])).toEqual([
    ['alice@acme.example', 'Makes a key for carol.'],
    ['alice@acme.example', expect.stringMatching(/^Gives key key_\w+ a new secret\.$/)],
    ['alice@acme.example', expect.stringMatching(/^Revokes key key_\w+\.$/)],
  ])
  expect([complaints, foreign]).toEqual([[], []])
  await close()
})

test('whoever looks sees keys, and why they cannot make one', async () => {
  const { page, complaints, close } = await place.openAs('bob', '/keys')
  await page.getByText('needs the role admin').waitFor()
  await page.getByText('Make a key').click()
  expect(await page.getByRole('button', { name: 'Make', exact: true }).getAttribute('aria-disabled')).toBe('true')
  expect(complaints).toEqual([])
  await close()
})
