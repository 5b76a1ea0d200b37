/** The policy as people see and try it: what is in effect, a call that is not made, a draft that is tried, kept, and taken back. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { carolsKey, leakRefused, looksRight, openConsolePlace, type ConsolePlace } from './console-place.ts'
import { draftIn, writeInto } from './writing-drafts.ts'

let place: ConsolePlace
let turn: string
beforeAll(async () => {
  place = await openConsolePlace()
  turn = await leakRefused(place)
})
afterAll(() => place?.[Symbol.asyncDispose]())

/** What becomes of a call of this tool, when a model of Carol's agent proposes it: what the agent is given to run. */
async function proposedTools(): Promise<readonly string[]> {
  const response = await fetch(`${place.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${carolsKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-5.5',
      messages: [{ role: 'user', content: 'Summarise the page.' }],
      tools: [{ type: 'function', function: { name: 'read_page', parameters: { type: 'object' } } }],
    }),
  })
  const { choices } = (await response.json()) as {
    readonly choices: readonly [{ readonly message: { readonly tool_calls?: readonly { readonly function: { readonly name: string } }[] } }]
  }
  return (choices[0].message.tool_calls ?? []).map((call) => call.function.name)
}

const noReading = `include: [turnward.yaml]
rules:
  - name: no-reading
    when: "tool.name == 'read_page'"
    verdict: deny
    reason: Pages are not read today.
`

test('what is in effect has its places, and what nobody has described is counted and can be described', async () => {
  const { page, complaints, foreign, close } = await place.openAs('bob', '/policy')
  await page.getByRole('heading', { name: 'Rules' }).waitFor()
  await page.getByRole('cell', { name: 'send_mail', exact: true }).first().waitFor()
  expect(await page.getByText(/^turnward\.yaml:\d+$/).count()).toBeGreaterThan(3)
  await looksRight(page, 'policy')
  await page.getByRole('link', { name: 'Show undescribed' }).click()
  await page.waitForURL(/coverage=undescribed/)
  await page
    .getByRole('button', { name: 'Describe it: office__bench' })
    .or(page.getByRole('button', { name: /^Describe it: office__/ }).first())
    .first()
    .click()
  await page.waitForURL(/tab=draft/)
  // Bob looks: he is told what he lacks, and nothing of his is sent.
  await page.getByText('Checking it as you type needs the role policy_author').waitFor()
  await page.getByText('Keeping a draft needs the role admin').waitFor()
  expect(await page.getByRole('button', { name: 'Keep the draft' }).getAttribute('aria-disabled')).toBe('true')
  await page.getByRole('button', { name: 'Keep the draft' }).click({ force: true })
  expect(await page.getByRole('button', { name: 'Show what would be different' }).getAttribute('aria-disabled')).toBe('true')
  await looksRight(page, 'policy-draft-viewer')
  expect([complaints, foreign]).toEqual([[], []])
  await close()
})

test('one call is decided and not made, as a link says it, on a session as it is now', async () => {
  const { page, complaints, close } = await place.openAs('alice', `/turns/${turn}`)
  await page.getByRole('link', { name: 'Simulate such a call' }).first().click()
  await page.getByRole('heading', { name: 'It would be refused' }).waitFor()
  expect(await page.getByLabel('or is this session now').inputValue()).toMatch(/^ses_/)
  await page
    .getByText(/contract send_mail/)
    .first()
    .waitFor()
  await looksRight(page, 'policy-call')
  await page.getByLabel('or is this session now').fill('')
  await page.getByRole('button', { name: 'Decide it' }).press('Enter')
  await page.getByRole('heading', { name: 'It would run' }).waitFor()
  // Whoever goes on with the keyboard is where they were.
  expect(await page.getByRole('button', { name: 'Decide it' }).evaluate((button) => button.matches(':focus'))).toBe(true)
  await page.getByLabel('Arguments, as JSON').fill('{')
  await page.getByRole('button', { name: 'Decide it' }).click()
  await page.getByText('The arguments are not JSON').waitFor()
  await page.reload()
  await page.getByText('The arguments are not JSON').waitFor()

  // Under a draft, which is decided when that is asked for.
  await page.getByLabel('Arguments, as JSON').fill('{}')
  await page.getByLabel('Decided under').selectOption('draft')
  const draft = await draftIn(page)
  await writeInto(draft, noReading.replaceAll('read_page', 'send_mail'))
  await page.getByText('Nothing is wrong with it').waitFor()
  await page.getByRole('button', { name: 'Decide it' }).click()
  await page.getByRole('heading', { name: 'It would be refused under the draft' }).waitFor()
  await page.getByText('Pages are not read today.').last().waitFor()
  await looksRight(page, 'policy-call-draft')
  expect(complaints).toEqual([])
  await close()
})

test('a draft is tried on a turn and on a day, kept with a reason, holds for the next call, and is taken back', async () => {
  expect(await proposedTools()).toEqual(['read_page'])
  const { page, complaints, foreign, close } = await place.openAs('alice', `/turns/${turn}`)
  await page.getByRole('link', { name: 'Try another rule' }).click()
  await page.waitForURL(/tab=turns/)
  const draft = await draftIn(page)

  // With the keyboard: what is known is offered, `Escape` closes that and then leaves, `Tab` goes on.
  await draft.press('ControlOrMeta+a')
  await draft.pressSequentially('rul')
  await page.getByRole('option', { name: /rules/ }).first().waitFor()
  await draft.press('Escape')
  await page.getByRole('option').first().waitFor({ state: 'detached' })
  await draft.press('Escape')
  expect(await draft.evaluate((element) => element.matches(':focus'))).toBe(false)
  await draft.focus()
  await draft.press('Tab')
  expect(await draft.evaluate((element) => element.matches(':focus'))).toBe(false)

  // A broken one: said at its line, and nothing is kept.
  await writeInto(draft, noReading.replace('deny', 'forbid'))
  await page.getByText('Line 5, column 14').waitFor()
  await page.locator('.cm-lintRange-error').waitFor()
  expect(await page.locator('.cm-lintRange-error').innerText()).toBe('forbid')
  await looksRight(page, 'policy-draft-broken')
  await page.getByRole('button', { name: 'Keep the draft' }).click()
  await page.getByText('Something is wrong with it, and nothing was changed').waitFor()
  expect(await proposedTools()).toEqual(['read_page'])

  await writeInto(draft, noReading)
  await page.getByText('Nothing is wrong with it').waitFor()
  await page.getByRole('button', { name: 'Show what would be different' }).click()
  await page.getByRole('cell', { name: /Pages are not read today/ }).waitFor()
  await looksRight(page, 'policy-turns')
  await page.getByRole('link', { name: 'A draft', exact: true }).click()
  await page.waitForURL(/tab=draft/)
  await page.getByRole('button', { name: 'Show what would be different' }).click()
  await page.getByRole('cell', { name: /Pages are not read today/ }).waitFor()

  await page.getByRole('button', { name: 'Keep the draft' }).click()
  await page.getByRole('button', { name: 'Show what would change' }).click()
  await page.getByLabel('rules/no-reading').waitFor()
  await page.getByLabel('Why, for the history').fill('Not today')
  await looksRight(page, 'policy-draft')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Kept as revision 1').waitFor()
  expect(await proposedTools()).toEqual([])
  await looksRight(page, 'policy-kept')

  await page.getByRole('button', { name: 'Go back to what was before' }).click()
  await page.getByText('Gone back, as revision 2').waitFor()
  expect(await proposedTools()).toEqual(['read_page'])
  expect([complaints, foreign]).toEqual([[], []])
  await close()
})
