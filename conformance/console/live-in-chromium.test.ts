/** Records as they are written, in a real browser: they come by themselves, and not while somebody reads. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { carolsKey, leakRefused, looksRight, openConsolePlace, type ConsolePlace } from './console-place.ts'

let place: ConsolePlace
beforeAll(async () => {
  place = await openConsolePlace()
})
afterAll(() => place?.[Symbol.asyncDispose]())

async function say(text: string): Promise<void> {
  const answer = await fetch(`${place.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${carolsKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5.5', messages: [{ role: 'user', content: text }] }),
  })
  expect(answer.status).toBe(200)
  await answer.text()
}

test('what is refused is seen as it happens, and leads to its turn', async () => {
  const { page, complaints, foreign, close } = await place.openAs('bob', '/live')
  await page.getByText('Following.').waitFor()
  const turn = await leakRefused(place)
  const row = page.getByRole('row').filter({ hasText: 'send_mail' }).filter({ hasText: 'refused' })
  await row.first().waitFor()
  await looksRight(page, 'live')
  await row.first().getByRole('link', { name: turn }).click()
  await page.getByRole('heading', { name: 'What happened' }).waitFor()
  expect([complaints, foreign]).toEqual([[], []])
  await close()
})

test('nothing moves while somebody reads, by the pointer, by the keyboard or because they asked for it', async () => {
  await say('Good morning.')
  const { page, close } = await place.openAs('bob', '/live?model=gpt-5.5')
  await page.getByText('Following.').waitFor()
  const rows = page.locator('tbody tr')
  await rows.first().waitFor()
  const waits = async (): Promise<void> => {
    const before = await rows.allInnerTexts()
    await say('Hello.')
    await page.getByRole('button', { name: /^Show \d+ new$/ }).waitFor()
    expect(await rows.allInnerTexts()).toEqual(before)
  }
  await rows.first().hover()
  await page.getByText('Waits while you read.').waitFor()
  await waits()
  const before = await rows.count()
  await page.getByRole('button', { name: /^Show \d+ new$/ }).click()
  await page.getByRole('button', { name: 'Nothing new' }).waitFor()
  expect(await rows.count()).toBeGreaterThan(before)
  await page.getByRole('heading', { name: 'Live' }).hover()
  await page.keyboard.press('j')
  await page.getByText('Waits while you read.').waitFor()
  await waits()
  // `r` shows what waits, as it reads other pages again.
  await page.keyboard.press('r')
  await page.getByRole('button', { name: 'Nothing new' }).waitFor()
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('Paused.').waitFor()
  await waits()
  await looksRight(page, 'live-paused')
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('button', { name: 'Nothing new' }).waitFor()
  await close()
})

test('is narrowed by the address, and shows nothing of others to whoever has no role', async () => {
  const { page, close } = await place.openAs('carla', '/live')
  await page.getByText('Nothing like that so far.').waitFor()
  await looksRight(page, 'live-empty')
  await close()
  const bob = await place.openAs('bob', '/live')
  await bob.page.getByText('Filter', { exact: true }).click()
  await bob.page.getByLabel('What was done').selectOption('refused')
  await bob.page.getByRole('button', { name: 'Show', exact: true }).click()
  await until('only what was refused', async () => {
    const texts = await bob.page.locator('tbody tr').allInnerTexts()
    return texts.length > 0 && texts.every((text) => text.includes('refused'))
  })
  expect(bob.page.url()).toContain('action=refuse')
  await bob.close()
})

/** Plays a connection that is lost: `cutFeed()` breaks the answer that is being read. */
const cuttable = `
  const own = window.fetch
  window.fetch = async (input, init) => {
    const answer = await own(input, init)
    if (!String(input).includes('/api/live') || !answer.ok) return answer
    const cut = new TransformStream({ start: (controller) => (window.cutFeed = () => controller.error(new TypeError('network error'))) })
    return new Response(answer.body.pipeThrough(cut), answer)
  }`

test('goes on by itself where it was when the connection was lost, and says so when somebody has signed out', async () => {
  await say('Good morning.')
  const { page, context, close } = await place.openAs('bob', '/live')
  await page.addInitScript(cuttable)
  await page.reload()
  await page.getByText('Following.').waitFor()
  const asked: (string | undefined)[] = []
  page.on('request', (request) => {
    if (request.url().includes('/api/live')) asked.push(request.headers()['last-event-id'])
  })
  const rows = page.locator('tbody tr')
  await until('earlier ones', async () => (await rows.count()) > 0)
  const before = await rows.count()
  await say('Hello.')
  await until(
    'those of the call',
    async () => (await rows.filter({ hasText: 'model call ended' }).count()) > 0 && (await rows.count()) > before + 1,
  )
  const each = (await rows.count()) - before
  await page.evaluate('cutFeed()')
  await page.getByText('Connecting…').waitFor()
  await say('Hello again.')
  await page.getByText('Following.').waitFor()
  await until('what was written meanwhile, once', async () => (await rows.count()) === before + 2 * each)
  // While nobody sees the page it is not connected.
  const see = (isHidden: boolean): Promise<unknown> =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
    )
  await see(true)
  await page.getByText('Connecting…').waitFor()
  await say('Hello, nobody.')
  expect(asked).toHaveLength(1)
  await see(false)
  await until('what was written while nobody looked', async () => (await rows.count()) === before + 3 * each)
  const place0 = expect.stringMatching(/^[0-9a-f]{8}\.0~0-\d+$/)
  expect(asked).toEqual([place0, place0])
  const other = await context.newPage()
  await other.goto(`${place.url}/sign-in`)
  await other.getByRole('button', { name: 'Sign out', exact: true }).click()
  await page.getByRole('alert').waitFor()
  expect(await page.getByRole('alert').innerText()).toContain('auth.signed_out')
  await page.getByRole('main').getByRole('link', { name: 'Sign in' }).waitFor()
  await close()
})
