/** Who changed what, and how the gateway is, as administrators see it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { carolsKey, leakRefused, looksRight, openConsolePlace, type ConsolePlace } from './console-place.ts'

let place: ConsolePlace
beforeAll(async () => {
  place = await openConsolePlace()
  await leakRefused(place)
})
afterAll(() => place?.[Symbol.asyncDispose]())

test('what was done with the console and with the command line is found by who, what and in words; a record is a link away', async () => {
  const { page, complaints, foreign, close } = await place.openAs('alice', '/audit')
  await page.getByText('Nothing on record is like that').waitFor()
  await page.getByRole('link', { name: 'Stops' }).click()
  await page.getByRole('heading', { name: 'Stops', exact: true }).waitFor()
  expect((await place.gateway.cli(['keys', 'create', '--principal', 'carol'])).code).toBe(0)
  expect((await place.gateway.cli(['stop', 'agent', 'intern', '--reason', 'it mails strangers'])).code).toBe(0)
  await page.getByRole('link', { name: 'Audit' }).click()
  const rows = page.getByRole('row')
  await until('both on record', async () => {
    await page.getByRole('button', { name: 'Refresh' }).click()
    return (await rows.filter({ hasText: 'keys: create' }).count()) > 0 && (await rows.filter({ hasText: 'stops: make' }).count()) > 0
  })
  expect(await rows.filter({ hasText: 'keys: create' }).innerText()).toMatch(/\(turnward keys\)[^]*keys of carol[^]*command line/)
  await looksRight(page, 'audit')
  await page.getByText('Filter', { exact: true }).click()
  await page.getByRole('combobox', { name: /^What/ }).selectOption('keys')
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  await page.getByText('Filter (What: keys)').waitFor()
  expect(page.url()).toContain('area=keys')
  await expect.poll(() => rows.filter({ hasText: 'stops: make' }).count()).toBe(0)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByRole('button', { name: 'Copy Command that verifies the chain' }).click()
  await page.getByText('Copied').waitFor()
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe('turnward audit verify')
  await page
    .getByRole('link', { name: /^record \d+$/ })
    .first()
    .click()
  await page.getByRole('heading', { name: 'Decisions' }).waitFor()
  await page.getByRole('cell', { name: 'keys of carol' }).waitFor()
  expect([complaints, foreign]).toEqual([[], []])
  await close()
})

test('the health of the gateway is told whole, what troubles it first, with what to do', async () => {
  const { page, complaints, foreign, close } = await place.openAs('bob', '/health')
  await page.getByText(/^Ready/).waitFor()
  await page.getByRole('cell', { name: 'decision log' }).waitFor()
  expect(await page.getByRole('row').filter({ hasText: 'servers' }).innerText()).toMatch(/1 of 1 can be called/)
  await looksRight(page, 'health')
  // A file that is wrong: the one before runs.
  await place.gateway.writeConfig('rules: 1\n')
  await until('that to be told', async () => {
    await page.getByRole('button', { name: 'Refresh' }).click()
    return (await page.getByText('what was read last was refused').count()) > 0
  })
  expect(await page.getByRole('row').nth(1).innerText()).toMatch(/configuration[^]*look at it/)
  await looksRight(page, 'health-warning')
  expect([complaints, foreign]).toEqual([[], []])
  await close()
})

test('whoever has no role is told so, and a key of an agent is no way around', async () => {
  const { page, close } = await place.openAs('carla', '/audit')
  expect(await page.getByRole('alert').innerText()).toContain('auth.role')
  await page.getByRole('link', { name: 'Health' }).click()
  await page.getByRole('heading', { name: 'Health' }).waitFor()
  await expect.poll(() => page.getByRole('alert').innerText()).toContain('auth.role')
  for (const path of ['/api/audit', '/api/health'])
    expect((await fetch(`${place.url}${path}`, { headers: { authorization: `Bearer ${carolsKey}` } })).status).toBe(403)
  await close()
})
