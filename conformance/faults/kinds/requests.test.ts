/**
 * Every kind of fault in requests that bug reports of other gateways tell of, from a client of every dialect to a vendor of every
 * other: what the vendor is asked is something it takes and means the same, or the client is told by name what cannot be said.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../harness/json.ts'
import { say } from '../../harness/model-answer.ts'
import type { RawAnswer } from '../../harness/raw-http.ts'
import type { VendorRequest } from '../../harness/vendor.ts'
import { type Wire, wireNames, wireOf } from '../breaking-wires.ts'
import { ask } from './asking.ts'
import { readAsked } from './asked.ts'
import { called, instructed, offering, stopping } from './conversations.ts'
import { fieldsOf } from './fields.ts'
import { type Kinds, startKinds } from './gateway.ts'

let kinds: Kinds
beforeAll(async () => {
  kinds = await startKinds()
})
afterAll(() => kinds.close())

interface Through {
  readonly answer: RawAnswer
  /** Undefined: nobody was asked. */
  readonly request: VendorRequest | undefined
}

async function through(client: Wire, upstream: Wire, fields: Json): Promise<Through> {
  let asked: VendorRequest | undefined
  kinds.vendor.respond((request) => {
    asked = request
    return say(request, { text: 'Noted.' })
  })
  const answer = await ask(kinds.url, client, wireOf(upstream).model, fields)
  return { answer, request: asked }
}

const everyPair = wireNames.flatMap((client) => wireNames.map((upstream) => ({ client, upstream })))
const pairs = everyPair.filter(({ client, upstream }) => client !== upstream)

/** What vendors take for the name of a tool, and for the id of a call. */
const names: Readonly<Record<Wire, RegExp>> = {
  openai: /^[\w-]{1,64}$/,
  anthropic: /^[\w-]{1,128}$/,
  responses: /^[\w-]{1,128}$/,
  gemini: /^[a-zA-Z_][\w.:-]{0,127}$/,
  converse: /^[\w-]{1,64}$/,
}
const ids: Readonly<Record<Wire, RegExp>> = {
  openai: /^.{1,40}$/,
  anthropic: /^[\w-]+$/,
  responses: /^.{1,64}$/,
  gemini: /^.+$/,
  converse: /^[\w-]{1,64}$/,
}

test.each(everyPair)('null says the same as nothing, in every field ($client to $upstream)', async ({ client, upstream }) => {
  const top = [...new Set(Object.keys(fieldsOf[client]).map((name) => name.split('.')[0] ?? ''))].filter(
    (name) => name !== 'max_tokens' || client !== 'anthropic',
  )
  const nulls = Object.fromEntries([...top, 'tools', 'tool_choice', 'stop', 'toolConfig'].map((name) => [name, null]))
  const { answer, request } = await through(client, upstream, nulls)
  expect([answer.status, answer.text.includes('Noted.')], answer.text).toEqual([200, true])
  const bare = await through(client, upstream, {})
  if (client !== upstream) expect(request?.body).toEqual(bare.request?.body)
})

test.each(pairs)('numbers that are text are read, or refused by name ($client to $upstream)', async ({ client, upstream }) => {
  const problems: string[] = []
  for (const [field, value] of Object.entries(fieldsOf[client])) {
    if (typeof value !== 'number') continue
    const [first = '', second] = field.split('.')
    const send = (said: unknown) => through(client, upstream, { [first]: second === undefined ? said : { [second]: said } })
    const { answer, request } = await send(String(value))
    const asNumber = await send(value)
    const isRefused = answer.status === 400 && answer.text.includes(second ?? first)
    const isRead = JSON.stringify(request?.body) === JSON.stringify(asNumber.request?.body)
    const isTold = String(answer.headers['x-turnward-warnings']).includes(
      (second ?? first).replace('topK', 'top_k').replace('Penalty', '_penalty'),
    )
    // What nobody reads is the vendor's to judge.
    const isPassedOn = JSON.stringify(request?.body ?? {}).includes(`"${String(value)}"`)
    if (!isRefused && !isRead && !isTold && !isPassedOn)
      problems.push(`${field}: ${answer.status} ${answer.text.slice(0, 200)} ${JSON.stringify(request?.body)}`)
  }
  expect(problems.join('\n')).toBe('')
})

test.each(pairs)('instructions arrive whole and in order, wherever they stand ($client to $upstream)', async ({ client, upstream }) => {
  const { answer, request } = await through(client, upstream, instructed[client](['First-rule. ', 'Second-rule. ', 'Third-rule. ']))
  expect(answer.status, answer.text).toBe(200)
  const said = JSON.stringify(request?.body)
  expect(said.match(/(First|Second|Third)-rule/g)).toEqual(['First-rule', 'Second-rule', 'Third-rule'])
})

describe('tools', () => {
  const nested = {
    type: 'object',
    properties: {
      where: { $ref: '#/$defs/place' },
      how: { anyOf: [{ type: 'string', const: 'fast' }, { type: 'null' }], default: null },
      options: {
        type: 'object',
        properties: { deep: { type: 'object', default: { list: [1, { a: null }] }, additionalProperties: false } },
        default: { deep: {} },
      },
      unit: { type: ['string', 'null'], enum: ['C', 'F', null] },
    },
    required: ['where'],
    additionalProperties: false,
    $defs: { place: { type: 'string', minLength: 1 } },
  }

  test.each(everyPair)('with schemas of any kind keep them ($client to $upstream)', async ({ client, upstream }) => {
    const { answer, request } = await through(
      client,
      upstream,
      offering[client]([
        { name: 'weather', schema: nested },
        { name: 'now', schema: undefined },
      ]),
    )
    expect(answer.status, answer.text).toBe(200)
    const [weather, now] = request === undefined ? [] : readAsked(upstream, request).tools
    expect(weather?.schema).toEqual(nested)
    // OpenAI refuses an object that does not say what its properties are; Google takes no schema for none.
    const none = now?.schema
    expect([undefined, null, '{"type":"object"}', '{"type":"object","properties":{}}']).toContain(
      none === undefined || none === null ? none : JSON.stringify(none),
    )
    if (client !== upstream && ['openai', 'responses'].includes(upstream)) expect(none).toEqual({ type: 'object', properties: {} })
  })

  test.each(pairs)(
    'whose names a vendor would refuse are offered under ones it takes, and called by their own ($client to $upstream)',
    async ({ client, upstream }) => {
      const odd = ['files.read', 'a b/c', '調べる']
      let asked: VendorRequest | undefined
      kinds.vendor.respond((request) => {
        asked = request
        const { tools } = readAsked(upstream, request)
        return say(request, { calls: tools.map(({ name }, at) => ({ id: `call_${at}`, name, args: {} })) })
      })
      const answer = await ask(
        kinds.url,
        client,
        wireOf(upstream).model,
        offering[client](odd.map((name) => ({ name, schema: undefined }))),
      )
      expect(answer.status, answer.text).toBe(200)
      const offered = asked === undefined ? [] : readAsked(upstream, asked).tools.map(({ name }) => name)
      expect(offered.filter((name) => !names[upstream].test(name))).toEqual([])
      expect(new Set(offered).size).toBe(3)
      const read = JSON.stringify(JSON.parse(answer.text))
      expect(odd.filter((name) => !read.includes(JSON.stringify(name)))).toEqual([])
    },
  )

  test.each(pairs)(
    'whose names are too long for a vendor are refused by name, or taken ($client to $upstream)',
    async ({ client, upstream }) => {
      for (const length of [64, 65, 129]) {
        const { answer, request } = await through(client, upstream, offering[client]([{ name: 'n'.repeat(length), schema: undefined }]))
        const taken = request === undefined ? [] : readAsked(upstream, request).tools.map(({ name }) => name)
        if (answer.status === 200) expect(taken).toEqual([expect.stringMatching(names[upstream])])
        else expect(answer.text).toMatch(/tools?.*name.*(characters|refuse)/i)
      }
    },
  )
})

test.each(pairs)(
  'ids of calls that another vendor made are ones this vendor takes ($client to $upstream)',
  async ({ client, upstream }) => {
    const foreign = ['functions.get_time:0', 'a b', '調べる', `toolu_${'x'.repeat(120)}`, 'ok-1']
    const { answer, request } = await through(client, upstream, {
      ...offering[client]([{ name: 'get_time', schema: undefined }]),
      ...called[client](foreign),
    })
    expect(answer.status, answer.text).toBe(200)
    const { callIds = [], resultIds = [] } = request === undefined ? {} : readAsked(upstream, request)
    expect(callIds.filter((id) => !ids[upstream].test(id))).toEqual([])
    expect([callIds.length, new Set(callIds).size]).toEqual([5, 5])
    expect(resultIds).toEqual(callIds)
  },
)

describe('stop sequences', () => {
  const stoppingPairs = everyPair.filter(({ client }) => stopping[client] !== undefined)

  test.each(stoppingPairs)('of white space are said, or refused by name ($client to $upstream)', async ({ client, upstream }) => {
    const { answer, request } = await through(client, upstream, stopping[client]?.(['\n\n']) ?? {})
    if (answer.status === 200) expect(JSON.stringify(request?.body)).toContain('\\n\\n')
    else expect(answer.text).toMatch(/stop_?sequences|\(stop\)/i)
  })

  test.each(stoppingPairs)(
    'that are empty say nothing, and those beside them are kept ($client to $upstream)',
    async ({ client, upstream }) => {
      const { answer, request } = await through(client, upstream, stopping[client]?.(['', 'END']) ?? {})
      if (answer.status !== 200) expect(answer.text).toMatch(/stop_?sequences|\(stop\)/i)
      else expect(JSON.stringify(request?.body)).toContain('END')
    },
  )

  test.each(stoppingPairs)('in great number are said, or refused by name ($client to $upstream)', async ({ client, upstream }) => {
    const many = Array.from({ length: 12 }, (_, at) => `END-${at}`)
    const { answer, request } = await through(client, upstream, stopping[client]?.(many) ?? {})
    if (answer.status === 200) expect(JSON.stringify(request?.body)).toContain('END-11')
    else expect(answer.text).toMatch(/stop_?sequences|\(stop\)/i)
  })
})

describe('tools that work a computer', () => {
  const screen = 'data:image/png;base64,aGk='
  const offers: Readonly<Partial<Record<Wire, readonly Json[]>>> = {
    anthropic: [{ tools: [{ type: 'computer_20250124', name: 'computer', display_width_px: 1024, display_height_px: 768 }] }],
    gemini: [{ tools: [{ computerUse: { environment: 'ENVIRONMENT_BROWSER' } }] }],
    responses: [
      { tools: [{ type: 'computer' }] },
      { tools: [{ type: 'computer_use_preview', display_width: 1024, display_height: 768, environment: 'browser' }] },
      {
        input: [
          {
            type: 'computer_call',
            id: 'cu_1',
            call_id: 'a',
            action: { type: 'screenshot' },
            status: 'completed',
            pending_safety_checks: [],
          },
        ],
      },
      { input: [{ type: 'computer_call_output', call_id: 'a', output: { type: 'computer_screenshot', image_url: screen } }] },
    ],
  }
  const cases = everyPair.flatMap(({ client, upstream }) => (offers[client] ?? []).map((fields) => ({ client, upstream, fields })))

  test.each(cases)(
    'reach the vendor of their dialect, or are refused with what, why and what to do ($client to $upstream)',
    async ({ client, upstream, fields }) => {
      const { answer, request } = await through(client, upstream, fields)
      if (client === upstream && client !== 'responses') return expect(request?.body).toMatchObject(fields)
      expect([answer.status, request]).toEqual([400, undefined])
      expect(answer.text).toMatch(
        /\((tools|input)\[0\][^)]*\): (a|the) (tool|refused action) .*(no counterpart in|could not be told).*\. (Leave|Offer)/,
      )
    },
  )
})
