/** A turn that was taken over by what it read, as people see it: what was refused, why, and what would have allowed it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { leakRefused, looksRight, openConsolePlace, type ConsolePlace } from './console-place.ts'
import { draftIn, writeInto } from './writing-drafts.ts'

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

test('turns are listed with what was refused, narrowed, and opened; so are their sessions', async () => {
  const { page, complaints, foreign, close } = await place.openAs('bob', '/turns')
  const row = page.getByRole('row').filter({ hasText: 'carol, by assistant' })
  await until('the turn to be listed', async () => {
    await page.getByRole('button', { name: 'Refresh' }).click()
    return (await row.count()) > 0
  })
  expect(await row.innerText()).toMatch(/gpt-5\.5[^]*send_mail[^]*2[^]*untrusted/)
  await looksRight(page, 'turns')
  await page.getByText('Filter', { exact: true }).click()
  await page.getByLabel('Something was').selectOption('held for a person')
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  await page.getByText('No turn is like that').waitFor()
  await page.getByRole('link', { name: 'Show everything' }).click()
  await row.getByRole('link').click()
  await page.getByRole('heading', { name: 'What happened' }).waitFor()
  await page.getByRole('link', { name: /^ses_/ }).click()
  await page.getByText('Its turns, those that began last first').waitFor()
  await looksRight(page, 'session')
  await page.getByRole('link', { name: 'Sessions' }).click()
  await page.getByRole('row').filter({ hasText: 'carol, by assistant' }).waitFor()
  await looksRight(page, 'sessions')
  expect([complaints, foreign]).toEqual([[], []])
  await close()
})

test('what was used is told apart by model and person, and a model without a price is named', async () => {
  const { page, complaints, close } = await place.openAs('bob', '/usage?show=tokens')
  await until('the calls to be counted', async () => {
    await page.getByRole('button', { name: 'Refresh' }).click()
    return (await page.getByRole('cell', { name: 'gpt-5.5' }).count()) > 0
  })
  await page.getByText('No price is known of gpt-5.5').waitFor()
  await page.getByRole('cell', { name: 'unpriced', exact: true }).waitFor()
  await page.getByRole('img', { name: /^Tokens from/ }).waitFor()
  await looksRight(page, 'usage')
  await page.getByText(/^Filter/).click()
  await page.getByLabel('Told apart by').selectOption('person')
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  await page.getByRole('cell', { name: 'carol' }).waitFor()
  expect(page.url()).toContain('by=principal')
  expect(complaints).toEqual([])
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

test('a draft of the policy is tried on what is on record, and what it would change leads to the turn', async () => {
  const { page, complaints, foreign, close } = await place.openAs('alice', '/policy/simulate?tab=draft')
  const show = page.getByRole('button', { name: 'Show what would be different' })
  const draft = await draftIn(page)
  await writeInto(draft, 'include: [turnward.yaml]\nrules: 1\n')
  await show.click()
  await page.getByRole('alert').waitFor()
  await writeInto(draft, 'include: [turnward.yaml]\ncontracts:\n  read_page: { override: true, output: { trust: trusted } }\n')
  await show.click()
  const row = page.getByRole('row').filter({ hasText: 'send_mail' })
  await row.waitFor()
  expect(await row.innerText()).toMatch(/refuse[^]*release/)
  await looksRight(page, 'policy-replayed')
  await row.getByRole('link', { name: turn }).click()
  await page.getByRole('heading', { name: 'What happened' }).waitFor()
  expect([complaints, foreign]).toEqual([[], []])
  await close()
})

test('the start says what is done and what is next; whoever has no role is led to a client', async () => {
  const { page, complaints, close } = await place.openAs('bob', '/start')
  await page.getByText('Everything is set up').waitFor()
  await looksRight(page, 'start')
  await page.getByRole('link', { name: 'Policy' }).click()
  await page.getByRole('link', { name: 'Simulate', exact: true }).click()
  await page.getByRole('link', { name: 'A draft', exact: true }).click()
  await page.getByText('Keeping a draft needs the role admin').waitFor()
  expect(complaints).toEqual([])
  await close()
  const stranger = await place.openAs('carla', '/start')
  await stranger.page.getByRole('link', { name: 'Connect a client' }).click()
  await stranger.page.getByRole('heading', { name: 'Connect a client' }).waitFor()
  await stranger.close()
})
