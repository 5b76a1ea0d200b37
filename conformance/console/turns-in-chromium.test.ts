/** A turn that was taken over by what it read, as people see it: what was refused, why, and what would have allowed it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leakRefused, looksRight, openConsolePlace, type ConsolePlace } from './console-place.ts'

let place: ConsolePlace
let turn = ''
beforeAll(async () => {
  place = await openConsolePlace()
  turn = await leakRefused(place)
})
afterAll(() => place?.[Symbol.asyncDispose]())

test('a refused call is explained, with what each step did and what it changed', async () => {
  const { page, complaints, foreign, close } = await place.openAs('bob', `/turns/${turn}`)
  const refused = page.getByRole('region', { name: 'Refused: send_mail' })
  await refused.waitFor()
  expect(await refused.innerText()).toContain('this session has read content of trust `untrusted`')
  expect(await page.getByRole('region', { name: 'Refused: publish_page' }).innerText()).toMatch(/What would allow it[^]*review_page/)
  expect(await page.locator('.gain').innerText()).toMatch(/trusted.* → untrusted.*read_page/)
  // By the keyboard: the first step, and what is on record of it.
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.locator('details[open]').getByText('Decided by').waitFor()
  await looksRight(page, 'turn')
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  for (const [button, copied] of [
    ['Copy link', `${place.url}/console/turns/${turn}`],
    ['Copy command', `turnward turns show ${turn}`],
  ] as const) {
    await page.getByRole('button', { name: button }).click()
    await page.getByText('Copied').first().waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(copied)
  }
  await page.getByRole('button', { name: 'Copy JSON' }).click()
  await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toContain('"refused"')
  expect([complaints, foreign]).toEqual([[], []])
  await close()
})

test('records are found by what stands in the address, and by the filter', async () => {
  const { page, complaints, close } = await place.openAs('bob', '/decisions?action=refuse')
  await page.getByRole('cell', { name: 'send_mail' }).first().waitFor()
  expect(await page.getByRole('cell', { name: 'gpt-5.5' }).count()).toBe(0)
  await looksRight(page, 'decisions')
  await page.getByText('Filter (What was done: refused)').click()
  await page.getByLabel('Tool').fill('nothing__like_that')
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  await page.getByText('Nothing on record is like that').waitFor()
  expect(page.url()).toContain('tool=nothing__like_that')
  await page.getByRole('link', { name: 'Show everything' }).click()
  await page.getByRole('cell', { name: 'gpt-5.5' }).first().waitFor()
  await page.getByRole('link', { name: turn }).first().click()
  await page.getByRole('heading', { name: 'What happened' }).waitFor()
  await page.goBack()
  await page.keyboard.press('Control+k')
  await page.keyboard.type(turn)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'What happened' }).waitFor()
  expect(complaints).toEqual([])
  await close()
})

test('a turn of somebody else is not there for whoever has no role', async () => {
  const { page, close } = await place.openAs('carla', `/turns/${turn}`)
  expect(await page.getByRole('alert').innerText()).toContain('turn.not_found')
  await page.getByRole('link', { name: 'Decisions' }).click()
  await page.getByText('Nothing on record is like that').waitFor()
  await close()
})
