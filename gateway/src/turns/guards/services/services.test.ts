/** Guards that ask a service, by the bytes their makers document, and what becomes of a call when the service does not say. */
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../../../conformance/harness/json.ts'
import { say } from '../../../../../conformance/harness/model-answer.ts'
import { startVendor, type VendorReply, type VendorRequest } from '../../../../../conformance/harness/vendor.ts'
import { ask, type Said, upstreams, wordsIn } from '../../../invariants/five-dialects.fixture.ts'
import { configOf, type ConfigInput, openFloors, snapshotOf } from '../../../invariants/floors.fixture.ts'

type GuardInput = NonNullable<ConfigInput['guards']>[string]

const json = (body: unknown): VendorReply => ({ headers: { 'content-type': 'application/json' }, parts: [JSON.stringify(body)] })
const asked: Said = [['user', 'Say something bad about Zoë.']]

/** Floors whose only route has this guard, a service for it, and a vendor that says `said`. */
async function open(
  guard: (url: string) => GuardInput,
  service: (request: VendorRequest) => VendorReply,
  said = 'An answer.',
  limits: NonNullable<ConfigInput['limits']> = {},
) {
  const guards = await startVendor(service)
  const vendor = await startVendor((request) =>
    request.path.endsWith('/embeddings') || request.path.endsWith('/moderations') ? service(request) : say(request, { text: said }),
  )
  const base = guards.url.replace(/\/v1$/, '')
  const config = configOf({
    ...upstreams.openai?.(vendor.url),
    credentials: {
      key: { secret: 'the-secret-of-the-service' },
      aws: { aws: { access_key_id: 'AKIDGUARDS', secret_access_key: 'a-secret-of-aws' } },
    },
    guards: { g: guard(base) },
    limits,
    routes: [{ model: 'm', upstreams: ['vendor'], guards: ['g'] }],
  })
  const floors = await openFloors({ config })
  return {
    guards,
    vendor,
    floors,
    ask: (said_: Said = asked, stream = false) => ask(floors.url, 'chat-completions', stream, said_),
    outcome: () => floors.log.records.findLast(({ type }) => type === 'outcome'),
    async [Symbol.asyncDispose]() {
      await floors[Symbol.asyncDispose]()
      await Promise.all([guards.close(), vendor.close()])
    },
  }
}

interface Case {
  readonly kind: string
  readonly guard: (url: string) => GuardInput
  readonly path: string
  readonly key?: readonly [header: string, value: string | RegExp]
  /** What the service is sent, in part. */
  readonly sent: Json
  readonly clean: unknown
  readonly bad: unknown
  readonly found: readonly string[]
  /** What it answers when it writes the text otherwise, and what the vendor is then told. */
  readonly masked?: readonly [answer: unknown, told: string]
}

const text = 'Say something bad about Zoë.'
const bearer = ['authorization', 'Bearer the-secret-of-the-service'] as const
const armor = (state: string, results: unknown): unknown => ({
  sanitizationResult: { filterMatchState: state, invocationResult: 'SUCCESS', filterResults: results },
})

const severities = (hate: number): unknown =>
  ['Hate', 'SelfHarm', 'Sexual', 'Violence'].map((category) => ({ category, severity: category === 'Hate' ? hate : 0 }))

const cases: readonly Case[] = [
  {
    kind: 'webhook',
    guard: (url) => ({ kind: 'webhook', on: 'input', url: `${url}/check`, credential: 'key', secret: 'a-long-enough-secret' }),
    path: '/check',
    key: ['turnward-signature', /^t=\d+,v1=[0-9a-f]{64}$/],
    sent: { guard: 'g', on: 'input', model: 'm', principal: 'alice', texts: [{ place: 'user', text }] },
    clean: { action: 'pass' },
    bad: { action: 'block', found: ['rude', '<script>'] },
    found: ['rude', 'something'],
    masked: [{ action: 'redact', found: ['name'], texts: ['Say something nice.'] }, 'Say something nice.'],
  },
  {
    kind: 'lakera',
    guard: (url) => ({ kind: 'lakera', on: 'input', url, credential: 'key', project_id: 'project-1' }),
    path: '/v2/guard',
    key: bearer,
    sent: { project_id: 'project-1', messages: [{ role: 'user', content: text }] },
    clean: { flagged: false, payload: [], breakdown: [], metadata: { request_uuid: 'u' } },
    bad: {
      flagged: true,
      payload: [],
      breakdown: [
        { detector_type: 'prompt_attack', detected: true, message_id: 0 },
        { detector_type: 'pii/email', detected: false },
      ],
    },
    found: ['prompt_attack'],
    masked: [
      {
        flagged: true,
        payload: [{ start: 24, end: 27, text: 'Zoë', detector_type: 'pii/name', labels: [], message_id: 0 }],
        breakdown: [{ detector_type: 'pii/name', detected: true, message_id: 0 }],
      },
      'Say something bad about [removed].',
    ],
  },
  {
    kind: 'presidio',
    guard: (url) => ({ kind: 'presidio', on: 'input', mode: 'block', url }),
    path: '/analyze',
    sent: { text, language: 'en', score_threshold: 0.5 },
    clean: [],
    bad: [{ entity_type: 'PERSON', start: 24, end: 27, score: 0.85 }],
    found: ['PERSON'],
    masked: [[{ entity_type: 'PERSON', start: 24, end: 27, score: 0.85 }], '[PERSON_'],
  },
  {
    kind: 'bedrock-guardrails',
    guard: (url) => ({
      kind: 'bedrock-guardrails',
      on: 'input',
      region: 'us-east-1',
      guardrail: 'gr1',
      version: '3',
      credential: 'aws',
      url,
    }),
    path: '/guardrail/gr1/version/3/apply',
    key: ['authorization', /^AWS4-HMAC-SHA256 Credential=AKIDGUARDS\//],
    sent: { source: 'INPUT', content: [{ text: { text } }] },
    clean: { action: 'NONE', outputs: [], assessments: [{}], usage: {} },
    bad: {
      action: 'GUARDRAIL_INTERVENED',
      outputs: [{ text: 'Sorry.' }],
      assessments: [{ topicPolicy: { topics: [{ name: 'Gossip', type: 'DENY', action: 'BLOCKED' }] } }],
    },
    found: ['Gossip'],
    masked: [
      {
        action: 'GUARDRAIL_INTERVENED',
        outputs: [{ text: 'Say something bad about {NAME}.' }],
        assessments: [{ sensitiveInformationPolicy: { piiEntities: [{ type: 'NAME', match: 'Zoë', action: 'ANONYMIZED' }], regexes: [] } }],
      },
      'Say something bad about {NAME}.',
    ],
  },
  {
    kind: 'azure-content-safety',
    guard: (url) => ({ kind: 'azure-content-safety', on: 'input', url, credential: 'key' }),
    path: '/contentsafety/text:analyze?api-version=2024-09-01',
    key: ['ocp-apim-subscription-key', 'the-secret-of-the-service'],
    sent: { text, categories: ['Hate', 'SelfHarm', 'Sexual', 'Violence'], outputType: 'FourSeverityLevels' },
    clean: { blocklistsMatch: [], categoriesAnalysis: severities(2) },
    bad: {
      blocklistsMatch: [{ blocklistName: 'names', blocklistItemId: 'i', blocklistItemText: 'Zoë' }],
      categoriesAnalysis: severities(4),
    },
    found: ['Hate', 'blocklist names'],
  },
  {
    kind: 'model-armor',
    guard: (url) => ({ kind: 'model-armor', on: 'input', project: 'p1', location: 'europe-west4', template: 't1', credential: 'key', url }),
    path: '/v1/projects/p1/locations/europe-west4/templates/t1:sanitizeUserPrompt',
    key: bearer,
    sent: { userPromptData: { text } },
    clean: armor('NO_MATCH_FOUND', { rai: { raiFilterResult: { matchState: 'NO_MATCH_FOUND' } } }),
    bad: armor('MATCH_FOUND', {
      pi_and_jailbreak: { piAndJailbreakFilterResult: { matchState: 'MATCH_FOUND' } },
      rai: { raiFilterResult: { matchState: 'NO_MATCH_FOUND' } },
    }),
    found: ['pi_and_jailbreak'],
    masked: [
      armor('MATCH_FOUND', {
        sdp: { sdpFilterResult: { deidentifyResult: { matchState: 'MATCH_FOUND', data: { text: 'Say something bad about [NAME].' } } } },
      }),
      'Say something bad about [NAME].',
    ],
  },
]

describe.each(cases)('$kind', ({ guard, path, key, sent, clean, bad, found, masked }) => {
  test('is asked as its maker documents, and lets go what it has nothing against', async () => {
    await using one = await open(guard, () => json(clean))
    expect((await one.ask()).status).toBe(200)
    const { path: asked_, body, headers } = one.guards.last()
    expect(asked_).toBe(path)
    expect(body).toMatchObject(sent)
    if (key !== undefined) expect(headers[key[0]]).toMatch(key[1])
    // What it has passed once is not asked again.
    await one.ask()
    expect(one.guards.requests).toHaveLength(1)
  })

  test('keeps what it has found from the vendor, and it is on record', async () => {
    await using one = await open(guard, () => json(bad))
    const { status, text: told } = await one.ask()
    expect([status, told.includes('guard.refused'), one.vendor.requests.length]).toEqual([403, true, 0])
    expect(one.outcome()?.guards).toEqual([
      { guard: 'g', on: 'input', action: 'block', found: Object.fromEntries(found.map((kind) => [kind, 1])) },
    ])
  })

  if (masked !== undefined)
    test('writes otherwise what it can, with `redact`', async () => {
      await using one = await open(
        (url) => ({ ...guard(url), mode: 'redact' }) as GuardInput,
        () => json(masked[0]),
      )
      expect((await one.ask()).status).toBe(200)
      const told = one.vendor.last().bytes.toString()
      expect([told.includes(masked[1]), told.includes('Zoë')]).toEqual([true, false])
    })

  test.each<[string, VendorReply]>([
    ['is reset', { parts: [], silent: true, ends: 'reset' }],
    ['does not answer', { parts: [], silent: true, ends: 'never' }],
    ['answers without an end', { headers: { 'content-type': 'application/json' }, parts: ['{"a":'], ends: 'never' }],
    ['answers with an error', { status: 500, parts: ['{}'] }],
    ['answers with a redirect', { status: 302, headers: { location: 'http://127.0.0.1:9/' }, parts: [] }],
    ['answers with no JSON', { parts: ['<html>'] }],
    ['answers with something else', json({ hello: true })],
    ['answers with 5 MB', json({ action: 'pass', flagged: false, padding: 'x'.repeat(5_000_000) })],
  ])('refuses when it %s, and lets go with `fail: open`', async (_name, reply) => {
    const quick = (url: string): GuardInput => ({ ...guard(url), timeout_ms: 300 }) as GuardInput
    await using closed = await open(quick, () => reply)
    const { status, text: told } = await closed.ask()
    expect([status, told.includes('guard.unavailable'), closed.vendor.requests.length]).toEqual([503, true, 0])
    await using opened = await open(
      (url) => ({ ...quick(url), fail: 'open' }) as GuardInput,
      () => reply,
    )
    expect([(await opened.ask()).status, opened.outcome()?.guards]).toEqual([200, [{ guard: 'g', on: 'input', action: 'open', found: {} }]])
  })
})

test('what presidio finds stands in the request as a placeholder, and is back in the answer', async () => {
  await using one = await open(
    (url) => ({ kind: 'presidio', on: 'input', url }),
    () => json([{ entity_type: 'PERSON', start: 3, end: 6, score: 0.9 }]),
  )
  one.vendor.respond((request) => say(request, { text: `About ${/\[PERSON_\w+\]/.exec(request.bytes.toString())?.[0] ?? 'nobody'}.` }))
  // Characters, and not halves of them, are what it counts.
  const { text: told } = await one.ask([['user', '🙂, Zoë']])
  expect(one.vendor.last().bytes.toString()).not.toContain('Zoë')
  expect(told).toContain('About Zoë.')
})

describe('an answer in a stream', () => {
  const webhook =
    (parts: object) =>
    (url: string): GuardInput =>
      ({ kind: 'webhook', on: 'output', url, hold: 40, ...parts }) as GuardInput
  const long = `${'Nothing of it yet. '.repeat(10)}Now it is bad. ${'And on. '.repeat(10)}`
  const seesBad = ({ body }: VendorRequest): boolean =>
    (body['texts'] as unknown as { text: string }[]).some((one) => one.text.includes('bad'))

  test('flows while a service looks at it, and ends where it finds something', async () => {
    await using one = await open(
      webhook({}),
      (request) => json(seesBad(request) ? { action: 'block', found: ['bad'] } : { action: 'pass' }),
      long,
    )
    const { text: told } = await one.ask(asked, true)
    const { deltas } = wordsIn(told, 'chat-completions')
    expect(deltas).toMatch(/^Nothing of it yet/)
    expect(deltas).not.toContain('bad')
    expect(told).toContain('guard.answer_refused')
    expect(one.guards.requests.length).toBeGreaterThan(2)
    expect(one.outcome()?.guards).toMatchObject([{ action: 'block', shown: deltas.length }])
  })

  test('is shown sentence by sentence, where that is asked for', async () => {
    const heard: string[] = []
    await using one = await open(
      webhook({ hold: 'sentence', mode: 'redact' }),
      ({ body }) => {
        heard.push(...(body['texts'] as unknown as { text: string }[]).map((said) => said.text))
        return json({ action: 'pass' })
      },
      'One sentence. Another one! And 3.14 is none of their ends, but this is: done. The rest',
    )
    await one.ask(asked, true)
    expect(heard.length).toBeGreaterThan(1)
    expect(heard.join('')).toBe('One sentence. Another one! And 3.14 is none of their ends, but this is: done. The rest')
    expect(heard.some((said) => said.endsWith('3.1') || said.endsWith('3.'))).toBe(false)
  })

  test('is written otherwise as a service says', async () => {
    await using one = await open(
      webhook({ mode: 'redact' }),
      ({ body }) =>
        json({ action: 'redact', texts: (body['texts'] as unknown as { text: string }[]).map((one_) => one_.text.replaceAll('a', 'A')) }),
      long,
    )
    for (const stream of [true, false]) {
      const { text: told } = await one.ask(asked, stream)
      expect(stream ? wordsIn(told, 'chat-completions').deltas : told).toContain(long.replaceAll('a', 'A').trim())
    }
  })

  test('passes in its own bytes when nothing is found, in every dialect', async () => {
    await using one = await open(webhook({}), () => json({ action: 'pass' }), long)
    for (const form of ['chat-completions', 'messages', 'responses', 'gemini', 'converse']) {
      const { status, text: told } = await ask(one.floors.url, form, true, asked)
      expect([status, wordsIn(told, form).deltas.includes(long)]).toEqual([200, true])
    }
  })

  test('ends when the service is gone', async () => {
    let count = 0
    await using one = await open(webhook({}), () => ((count += 1) > 2 ? { status: 500, parts: [] } : json({ action: 'pass' })), long)
    const { text: told } = await one.ask(asked, true)
    expect([told.includes('guard.unavailable'), wordsIn(told, 'chat-completions').deltas.includes('And on.')]).toEqual([true, false])
  })
})

describe('moderation', () => {
  const result = (flagged: boolean, violence: number): unknown => ({
    results: [{ flagged, categories: { violence: flagged, hate: false }, category_scores: { violence, hate: 0.01 } }],
  })
  test.each([
    [undefined, result(true, 0.9), 403],
    [undefined, result(false, 0.9), 200],
    [{ violence: 0.5 }, result(false, 0.6), 403],
    [{ violence: 0.5, hate: 0.1 }, result(true, 0.4), 200],
    [{ 'no/such': 0.1 }, result(false, 0.4), 503],
  ])('%j of %j', async (categories, answer, status) => {
    const guard = { kind: 'moderation', on: 'input', upstream: 'vendor', ...(categories === undefined ? {} : { categories }) } as GuardInput
    await using one = await open(
      () => guard,
      () => json(answer),
    )
    expect((await one.ask()).status).toBe(status)
    expect(one.vendor.requests[0]).toMatchObject({ path: '/v1/moderations', body: { model: 'omni-moderation-latest', input: [text] } })
  })
})

describe('topics', () => {
  /** One dimension a topic. */
  const embeddings = ({ body }: VendorRequest): VendorReply =>
    json({
      data: (body['input'] as unknown as string[])
        .map((said, index) => ({ index, embedding: ['order', 'weapon', 'x'].map((word) => (said.includes(word) ? 1 : 0.01)) }))
        .toReversed(),
    })
  const topics: GuardInput = {
    kind: 'topics',
    upstream: 'vendor',
    model: 'e',
    allow: ['my order is late'],
    deny: ['make a weapon'],
    threshold: 0.7,
  }
  test.each([
    ['Where is my order?', 'Your order is here.', 200],
    ['Build me a weapon.', '', 403],
    ['What is x?', '', 403],
    ['Where is my order?', 'Here is a weapon.', 403],
  ])('%s: %s', async (question, said, status) => {
    await using one = await open(() => topics, embeddings, said)
    expect(
      (
        await one.ask(
          [
            ['user', 'Tell me of x.'],
            ['assistant', 'No.'],
            ['user', question],
          ],
          true,
        )
      ).status,
    ).toBe(status)
  })
})

describe('a judge', () => {
  const judged = (guard: object, answer: (request: VendorRequest) => string) =>
    open(
      () => ({ kind: 'judge', on: 'input', model: 'm', question: 'Is it rude?', everywhere: true, ...guard }) as GuardInput,
      () => json({}),
    ).then((one) => {
      one.vendor.respond((request) => say(request, { text: request.bytes.includes('Is it rude?') ? answer(request) : 'An answer.' }))
      return one
    })

  test('is a model that says yes or no; it is asked once, and not about itself', async () => {
    await using yes = await judged({}, () => '```json\n{"yes": true}\n```')
    expect([(await yes.ask()).status, yes.vendor.requests.length]).toEqual([403, 1])
    await using no = await judged({}, () => '{"yes": false}')
    expect([(await no.ask()).status, no.vendor.requests.length]).toEqual([200, 2])
    const records = no.floors.log.records.filter(({ type, kind }) => type === 'decision' && kind === 'model_call')
    expect(records.map(({ rules }) => rules)).toContainEqual(['guard g'])
  })

  test('is asked also where its caller may make one call at once, and counts as a request', async () => {
    const rules = [
      { name: 'one', per: 'principal', count: 'concurrent', limit: 1 },
      { name: 'few', per: 'principal', count: 'requests', limit: 3, window: '1d' },
    ] as const
    await using one = await open(
      () => ({ kind: 'judge', on: 'both', model: 'm', question: 'Is it rude?', everywhere: true }),
      () => json({}),
      undefined,
      { rules: [...rules] },
    )
    one.vendor.respond((request) => say(request, { text: request.bytes.includes('Is it rude?') ? '{"yes": false}' : 'An answer.' }))
    expect([(await one.ask()).status, one.vendor.requests.length]).toEqual([200, 3])
    expect((await one.ask()).status).toBe(429)
  })

  test('that does not answer in time has said nothing', async () => {
    await using one = await open(
      () => ({ kind: 'judge', on: 'input', model: 'm', question: 'Is it rude?', timeout_ms: 200 }),
      () => json({}),
    )
    one.vendor.respond(() => ({ parts: [], silent: true, ends: 'never' }))
    const { status, text: told } = await one.ask()
    expect([status, told.includes('guard.unavailable')]).toEqual([503, true])
  })

  test.each(['yes', '{"yes": "true"}', 'Ignore that. {"yes": false}'])('that says %j has said nothing', async (said) => {
    await using one = await judged({}, () => said)
    expect((await one.ask()).status).toBe(503)
  })
})

test('what a service has found and cannot write otherwise is refused, with `redact`', async () => {
  await using one = await open(
    (url) => ({ kind: 'lakera', on: 'input', mode: 'redact', url, credential: 'key' }),
    () => json({ flagged: true, payload: [], breakdown: [{ detector_type: 'prompt_attack', detected: true }] }),
  )
  expect([(await one.ask()).status, one.vendor.requests.length]).toEqual([403, 0])
})

test('a text that is larger than a service takes is asked about in pieces that overlap, and none of them is lost', async () => {
  const heard: string[] = []
  await using one = await open(
    (url) => ({ kind: 'model-armor', on: 'input', project: 'p1', location: 'europe-west4', template: 't1', credential: 'key', url }),
    ({ body }) => {
      heard.push(String((body['userPromptData'] as { text?: string }).text))
      return json(armor('NO_MATCH_FOUND', {}))
    },
  )
  const long = Array.from({ length: 9000 }, (_, at) => `w${at} `).join('')
  expect((await one.ask([['user', long]])).status).toBe(200)
  expect(heard.length).toBeGreaterThan(2)
  for (let at = 0; at < long.length - 150; at += 97) expect(heard.some((piece) => piece.includes(long.slice(at, at + 150)))).toBe(true)
})

test('guards that name what is not there are found by the check', () => {
  const problem = (guard: GuardInput): string => {
    try {
      snapshotOf(
        configOf({
          ...upstreams.openai?.('http://127.0.0.1:9/v1'),
          guards: { g: guard },
          routes: [{ model: 'm', upstreams: ['vendor'], guards: ['g'] }],
        }),
      )
      return ''
    } catch (error) {
      return String(error)
    }
  }
  expect(problem({ kind: 'lakera', credential: 'nowhere' })).toContain('no credential `nowhere`')
  expect(problem({ kind: 'moderation', upstream: 'vendr' })).toContain('no upstream `vendr`')
  expect(problem({ kind: 'judge', model: 'other', question: 'Is it?' })).toContain('no route serves `other`')
  expect(problem({ kind: 'moderation', upstream: 'vendor', mode: 'redact' } as unknown as GuardInput)).toContain('mode')
  expect(problem({ kind: 'judge', model: 'm', question: 'Is it?' })).toBe('')
})
