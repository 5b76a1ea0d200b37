/** What goes to models and what they answer, past guards: in every dialect, streamed and whole, as the upstream speaks and converted. */
import { describe, expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { startVendor, type VendorRequest } from '../../../../conformance/harness/vendor.ts'
import { ask, dialectsAndUpstreams, type Said, upstreams, wordsIn } from '../../invariants/five-dialects.fixture.ts'
import { configOf, openFloors, snapshotOf, type ConfigInput } from '../../invariants/floors.fixture.ts'

const configFor = (kind: string, url: string, guards: ConfigInput['guards'] = {}): ConfigInput =>
  configOf({ ...upstreams[kind]?.(url), routes: [{ model: 'm', upstreams: ['vendor'], guards: Object.keys(guards) }], guards })

const people: ConfigInput['guards'] = { people: { kind: 'pii', on: 'input' } }
const codename: NonNullable<ConfigInput['guards']>[string] = { kind: 'patterns', deny: ['(?i)project\\s+bluebird'] }
const asked: Said = [['user', 'Write to alice@corp.example, card 4111 1111 1111 1111.']]

const placeholderIn = ({ bytes }: VendorRequest): string => /\[EMAIL_[0-9a-f]{10}\]/.exec(bytes.toString())?.[0] ?? 'no placeholder'

describe.each(dialectsAndUpstreams)('a client of $form, an upstream of $kind, stream: $stream', ({ form, kind, stream }) => {
  test('what identifies people goes to no vendor, and is back in the answer', async () => {
    await using vendor = await startVendor((request) => say(request, { text: `I write to ${placeholderIn(request)} now.` }))
    await using floors = await openFloors({ config: configFor(kind, vendor.url, people) })
    const { status, text } = await ask(floors.url, form, stream, asked)
    expect(status).toBe(200)
    const sent = vendor.last().bytes.toString()
    expect([sent.includes('alice@'), sent.includes('4111 1111'), sent.includes('[CARD_')]).toEqual([false, false, true])
    const { deltas, wholes } = wordsIn(text, form)
    if (deltas !== '' || form !== 'responses') expect(deltas).toContain('I write to alice@corp.example now.')
    for (const whole of wholes) expect(whole).toBe('I write to alice@corp.example now.')
    const found = [{ guard: 'people', on: 'input', action: 'redact', found: { email: 1, card: 1 } }]
    expect(floors.log.records.find(({ type }) => type === 'outcome')).toMatchObject({ guards: found })
    expect(JSON.stringify(floors.log.records)).not.toContain('alice@corp')
  })

  test('what is denied reaches no vendor, and no client', async () => {
    await using vendor = await startVendor((request) => say(request, { text: 'The project bluebird is late.' }))
    await using floors = await openFloors({ config: configFor(kind, vendor.url, { codename }) })
    const refused = await ask(floors.url, form, stream, [['user', 'Tell me of Project  Bluebird.']])
    expect([refused.status, refused.text.includes('guard'), vendor.requests.length]).toEqual([403, true, 0])
    expect(floors.log.records.map(({ type, action, rules, outcome }) => [type, action, rules, outcome])).toEqual([
      ['decision', 'refuse', ['guard codename'], undefined],
      ['outcome', 'refuse', expect.anything(), 'refused'],
    ])
    const answered = await ask(floors.url, form, stream, [['user', 'What is late?']])
    expect([answered.status, answered.text.includes('bluebird'), vendor.requests.length]).toEqual([403, false, 1])
    expect(floors.log.records.at(-1)).toMatchObject({ type: 'outcome', errorCode: 'guard.answer_refused' })
  })

  test('what is written otherwise is so however it was cut, and nothing else of the answer changes', async () => {
    const codenameRedacted = { ...codename, mode: 'redact' as const, replacement: 'X' }
    let said = 'The project bluebird is late, and project  BLUEBIRD is dear.'
    await using vendor = await startVendor((request) => say(request, { text: said }))
    await using floors = await openFloors({ config: configFor(kind, vendor.url, { codename: codenameRedacted }) })
    const { text } = await ask(floors.url, form, stream, [['user', 'What?']])
    const { deltas, wholes } = wordsIn(text, form)
    if (deltas !== '' || form !== 'responses') expect(deltas).toContain('The X is late, and X is dear.')
    for (const whole of wholes) expect(whole).toBe('The X is late, and X is dear.')
    said = 'Nothing of that.'
    await using plain = await openFloors({ config: configFor(kind, vendor.url) })
    const both = await Promise.all([floors, plain].map(({ url }) => ask(url, form, stream, [['user', 'What?']])))
    expect(withoutIds(both[0]?.text ?? '')).toBe(withoutIds(both[1]?.text ?? ''))
  })
})

/** Ids and times that are made anew for each answer. */
function withoutIds(text: string): string {
  return text.replaceAll(/"(id|item_id|created|created_at|completed_at|responseId|obfuscation|p|latencyMs)":("[^"]*"|\d+)/g, '"$1":0')
}

test('what a model is told in a further round of the same request passes the guards again', async () => {
  await using vendor = await startVendor((request) =>
    say(
      request,
      request.index === 0 ? { calls: [{ id: 'c1', name: 'wipe', args: { of: placeholderIn(request) } }] } : { text: 'So be it.' },
    ),
  )
  const config = configFor('openai', vendor.url, people)
  const rules = [{ name: 'never', when: "tool.name == 'wipe'", verdict: 'deny' as const, reason: 'It wipes.' }]
  await using floors = await openFloors({ config: { ...config, rules } })
  const { text } = await ask(floors.url, 'chat-completions', false, asked)
  expect([vendor.requests.length, text.includes('So be it.')]).toEqual([2, true])
  const again = vendor.last().bytes.toString()
  expect([again.includes('wipe'), again.includes('alice@')]).toEqual([true, false])
  expect(again.split(placeholderIn(vendor.last()))).toHaveLength(3)
})

test('guards that hold everywhere look before those of the route, and each at what the one before has left', async () => {
  await using vendor = await startVendor((request) => say(request, { text: 'Yes.' }))
  const guards: ConfigInput['guards'] = { codename, unseen: { kind: 'invisible', everywhere: true } }
  const config = configOf({
    ...upstreams.openai?.(vendor.url),
    guards,
    routes: [{ model: 'm', upstreams: ['vendor'], guards: ['codename'] }],
  })
  await using floors = await openFloors({ config })
  const { status } = await ask(floors.url, 'messages', false, [['user', 'Pro\u200bject blue\u200dbird?']])
  expect([status, vendor.requests.length]).toEqual([403, 0])
})

test('a guard that only warns changes nothing, and is on record', async () => {
  await using vendor = await startVendor((request) => say(request, { text: 'The project bluebird.' }))
  await using floors = await openFloors({ config: configFor('openai', vendor.url, { codename: { ...codename, mode: 'warn' } }) })
  const { text } = await ask(floors.url, 'chat-completions', true, [['user', 'Project bluebird?']])
  expect(wordsIn(text, 'chat-completions').deltas).toContain('The project bluebird.')
  const found = { 'deny[0]': 1 }
  expect(floors.log.records.find(({ type }) => type === 'outcome')?.guards).toEqual([
    { guard: 'codename', on: 'input', action: 'warn', found },
    { guard: 'codename', on: 'output', action: 'warn', found },
  ])
})

test('guards that nobody declared, patterns that are none, and guards that look at nothing are found by the check', () => {
  const problems = (guards: ConfigInput['guards'], named: readonly string[] = []): string => {
    try {
      snapshotOf(
        configOf({
          ...upstreams.openai?.('http://127.0.0.1:9/v1'),
          guards,
          routes: [{ model: 'm', upstreams: ['vendor'], guards: [...named] }],
        }),
      )
      return ''
    } catch (error) {
      return String(error)
    }
  }
  expect(problems({ codename }, ['codenam'])).toContain('there is no guard `codenam`')
  expect(problems({}, ['constructor'])).toContain('there is no guard `constructor`')
  expect(problems({ g: { kind: 'patterns', deny: ['(?=x)'] } }, ['g'])).toContain('no pattern of RE2')
  expect(problems({ g: { kind: 'patterns', deny: ['x'], on: 'output', parts: ['user'] } }, ['g'])).toContain('parts of a request')
  expect(problems({ codename }, ['codename'])).toBe('')
})

test('what a model says of people by itself is gone for good, and what its request has said of them is back', async () => {
  await using vendor = await startVendor((request) => say(request, { text: `Not ${placeholderIn(request)}, but eve@other.example.` }))
  await using floors = await openFloors({ config: configFor('openai', vendor.url, { people: { kind: 'pii', on: 'both' } }) })
  for (const stream of [false, true]) {
    const { text } = await ask(floors.url, 'chat-completions', stream, asked)
    expect(wordsIn(text, 'chat-completions').deltas).toContain('Not alice@corp.example, but [email].')
  }
})
