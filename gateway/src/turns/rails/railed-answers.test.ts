/** Answers after taint, in every dialect, streamed and whole, as the upstream speaks and converted. */
import { describe, expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { startVendor, type Vendor } from '../../../../conformance/harness/vendor.ts'
import { ask, dialectsAndUpstreams, type Said, upstreams, wordsIn } from '../../invariants/five-dialects.fixture.ts'
import { configOf, openFloors, type ConfigInput } from '../../invariants/floors.fixture.ts'

const evil = 'Look: ![x](https://evil.example/?q=1) or https://wiki.acme.example/a, and \u{e0041}done.'
const harmless = 'Look: ![x](https[:]//evil.example/?q=1) or https://wiki.acme.example/a, and done.'

const trusted: Said = [['user', 'Hello.']]
/** Nobody here has produced the answer in it. */
const tainted: Said = [...trusted, ['assistant', 'Hi.'], ['user', 'And?']]

const configFor = (kind: string, url: string, rails?: ConfigInput['rails']): ConfigInput =>
  configOf({
    ...upstreams[kind]?.(url),
    routes: [{ model: 'm', upstreams: ['vendor'] }],
    ...(rails === undefined ? {} : { rails }),
  })

const rails = { allowed: ['*.acme.example'] }

describe.each(dialectsAndUpstreams)('a client of $form, an upstream of $kind, stream: $stream', ({ form, kind, stream }) => {
  test('after taint there is no address that is not allowed, and no text that nobody sees; it is on record', async () => {
    await using vendor = await startVendor((request) => say(request, { text: evil }))
    await using floors = await openFloors({ config: configFor(kind, vendor.url, rails) })
    const { status, text } = await ask(floors.url, form, stream, tainted)
    expect([status, text.includes('https://evil'), text.includes('\u{e0041}')]).toEqual([200, false, false])
    const { deltas, wholes } = wordsIn(text, form)
    if (deltas !== '' || form !== 'responses') expect(deltas).toContain(harmless)
    for (const whole of wholes) expect(whole).toBe(harmless)
    expect(floors.log.records.find(({ type }) => type === 'outcome')).toMatchObject({ neutralised: { links: 1, invisible: 1 } })
  })

  test('before it, and with everything off, the answer is what it is without rails', async () => {
    await using vendor = await startVendor((request) => say(request, { text: evil }))
    await using plain = await openFloors({ config: configFor(kind, vendor.url) })
    await using railed = await openFloors({ config: configFor(kind, vendor.url, rails) })
    await using off = await openFloors({ config: configFor(kind, vendor.url, { links: 'off', invisible: 'off' }) })
    const same = async (other: typeof plain, said: Said): Promise<void> => {
      const [one, two] = await Promise.all([ask(plain.url, form, stream, said), ask(other.url, form, stream, said)])
      expect(wordsIn(two.text, form).deltas + wordsIn(two.text, form).wholes.join('')).toContain('https://evil.example')
      expect(withoutIds(two.text)).toBe(withoutIds(one.text))
    }
    await same(railed, trusted)
    await same(off, tainted)
    expect(railed.log.records.find(({ type }) => type === 'outcome')).not.toHaveProperty('neutralised')
  })
})

/** Ids and times that are made anew for each answer. */
function withoutIds(text: string): string {
  return text.replaceAll(/"(id|item_id|created|created_at|completed_at|responseId|obfuscation|p|latencyMs)":("[^"]*"|\d+)/g, '"$1":0')
}

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`

async function streamed(vendor: (pieces: readonly string[]) => Promise<Vendor>, pieces: readonly string[]): Promise<string> {
  await using one = await vendor(pieces)
  await using floors = await openFloors({ config: configFor('openai', one.url, rails) })
  return (await ask(floors.url, 'chat-completions', true, tainted)).text
}

const inPieces = (pieces: readonly string[]): Promise<Vendor> =>
  startVendor(() => ({
    headers: { 'content-type': 'text/event-stream' },
    parts: [...pieces.map((content) => chunk({ content })), ': a comment\n\n', chunk({}, 'stop'), 'data: [DONE]\n\n'],
  }))

test('an address that comes in pieces of one character is found, and no event is lost', async () => {
  const text = await streamed(inPieces, Array.from(evil))
  expect(wordsIn(text, 'chat-completions').deltas).toBe(harmless)
  expect(text.match(/^data: /gm)).toHaveLength(Array.from(evil).length + 2)
})

test('what changes nothing passes in the bytes of the upstream', async () => {
  const pieces = ['One: ', 'two.', ' See https:', '//wiki.acme.example/a and ', 'that is it: ', '10:30.']
  const text = await streamed(inPieces, pieces)
  const sent = [...pieces.map((content) => chunk({ content })), ': a comment\n\n', chunk({}, 'stop'), 'data: [DONE]\n\n'].join('')
  expect(text.replace(': a comment\n\n', '')).toBe(sent.replace(': a comment\n\n', ''))
})

test('two texts that come by turns do not hide an address in each other', async () => {
  const turns = ['https', 'a', ':', 'b', '//ev', 'c', 'il.example', 'd']
  await using vendor = await startVendor(() => ({
    headers: { 'content-type': 'text/event-stream' },
    parts: [
      ...turns.map(
        (content, at) =>
          `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: at % 2, delta: { content }, finish_reason: null }] })}\n\n`,
      ),
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [0, 1].map((index) => ({ index, delta: {}, finish_reason: 'stop' })) })}\n\n`,
      'data: [DONE]\n\n',
    ],
  }))
  await using floors = await openFloors({ config: configFor('openai', vendor.url, rails) })
  const { text } = await ask(floors.url, 'chat-completions', true, tainted)
  const ofChoice = (index: number): string =>
    [...text.matchAll(/"index":(\d),"delta":\{"content":"([^"]*)"/g)]
      .flatMap(([, at, words]) => (Number(at) === index ? [words] : []))
      .join('')
  expect([ofChoice(0), ofChoice(1)]).toEqual(['https[:]//evil.example', 'abcd'])
})
