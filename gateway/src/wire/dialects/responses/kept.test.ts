/** What a request says of kept responses, what is put in their place, and what the vendor is asked instead. */
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../core/json.ts'
import type { KeptAnswer } from '../../kept-answers.ts'
import { StreamGate } from '../../gate/stream-gate.ts'
import { response, responseEvents } from '../../../../../conformance/harness/responses-wire.ts'
import { keptResponses as kept } from './kept-responses.ts'
import { responses } from './responses.ts'

const user = (text: string): JsonObject => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] })
const said = (id: string, text: string): JsonObject => ({
  type: 'message',
  id,
  role: 'assistant',
  content: [{ type: 'output_text', text }],
})
const answer: KeptAnswer = { input: [user('One.')], response: { id: 'resp_1', output: [said('msg_1', 'Yes.')] }, previous: null }

describe('a request', () => {
  test('wants its answer kept unless it says otherwise', () => {
    expect(kept.ask({ input: 'a' })).toEqual({
      previous: undefined,
      conversation: undefined,
      items: [],
      keeps: true,
      later: false,
    })
    expect(kept.ask({ conversation: 'conv_1' }).conversation).toBe('conv_1')
    expect(kept.ask({ conversation: { id: 'conv_1' } }).conversation).toBe('conv_1')
    expect(kept.ask({ input: 'a', store: null, background: null, previous_response_id: null })).toMatchObject({ keeps: true, later: false })
    expect(kept.ask({ input: 'a', store: false })).toMatchObject({ keeps: false })
    expect(kept.ask({ input: 'a', background: true })).toMatchObject({ keeps: true, later: true })
  })

  test('names items with and without their type', () => {
    const input = [
      user('a'),
      { type: 'item_reference', id: 'msg_1' },
      { id: 'msg_2' },
      { type: null, id: 'msg_3' },
      { role: 'user', id: 'x', content: 'b' },
    ]
    expect(kept.ask({ input }).items).toEqual(['msg_1', 'msg_2', 'msg_3'])
  })

  test.each([
    [{ previous_response_id: 1 }, 'previous_response_id'],
    [{ previous_response_id: '' }, 'previous_response_id'],
    [{ previous_response_id: 'x'.repeat(300) }, 'previous_response_id'],
    [{ conversation: 1 }, 'conversation'],
    [{ conversation: {} }, 'conversation'],
    [{ conversation: 'conv_1', previous_response_id: 'resp_1' }, 'conversation'],
    [{ store: 'false' }, 'store'],
    [{ background: 1 }, 'background'],
    [{ background: true, store: false }, 'background'],
    [{ input: [{ type: 'item_reference' }] }, 'input[0].id'],
    [{ input: Array.from({ length: 2000 }, () => ({ id: 'msg' })) }, 'input'],
  ])('that cannot be read for certain is refused: %j', (body, field) => {
    expect(() => kept.ask(body as JsonObject)).toThrow(`(${field})`)
  })
})

describe('what is put into a request', () => {
  const completed = (body: JsonObject, from?: KeptAnswer, items = new Map<string, JsonObject>()): JsonObject => {
    kept.complete(body, from, items)
    return body
  }

  test.each([
    ['text', 'Two.'],
    ['items', [user('Two.')]],
  ])('stands before its own input (%s)', (_what, input) => {
    expect(completed({ model: 'm', input, previous_response_id: 'resp_1' }, answer)).toEqual({
      model: 'm',
      input: [user('One.'), said('msg_1', 'Yes.'), user('Two.')],
    })
  })

  test('may be all there is', () => {
    expect(completed({ previous_response_id: 'resp_1' }, answer)).toEqual({ input: [user('One.'), said('msg_1', 'Yes.')] })
  })

  test('stands in the place of what named it', () => {
    const input = [user('One.'), { type: 'item_reference', id: 'msg_1' }, user('Two.')]
    expect(completed({ input }, undefined, kept.items(answer.response) as Map<string, JsonObject>)).toEqual({
      input: [user('One.'), said('msg_1', 'Yes.'), user('Two.')],
    })
  })

  test('has no reasoning in it that only the vendor knew', () => {
    const reasoning = (id: string, more: JsonObject): JsonObject => ({ type: 'reasoning', id, summary: [], ...more })
    const output = [
      reasoning('rs_1', {}),
      reasoning('rs_2', { encrypted_content: null }),
      reasoning('rs_3', { encrypted_content: 'gAAA' }),
      reasoning('rs_4', { content: [{ type: 'reasoning_text', text: 'Hm.' }] }),
    ]
    const body = completed({ input: 'Two.' }, { ...answer, response: { output } })
    expect((body.input as JsonObject[]).map(({ id }) => id)).toEqual([undefined, 'rs_3', 'rs_4', undefined])
  })

  test('reads like what its client would send whole', () => {
    const views = (body: JsonObject) => responses.readRequest({ model: 'm', ...body }).messages
    expect(views(completed({ input: 'Two.' }, { ...answer, input: kept.conversation({ input: 'One.' }) }))).toEqual(
      views({
        input: [
          { role: 'user', content: 'One.' },
          { role: 'assistant', content: 'Yes.' },
          { role: 'user', content: 'Two.' },
        ],
      }),
    )
  })
})

test('a vendor is asked to keep nothing, and for the reasoning of models that reason', () => {
  expect(kept.unkept({}, 'gpt-4o')).toEqual({ store: false })
  expect(kept.unkept({}, 'llama')).toEqual({ store: false })
  expect(kept.unkept({ include: ['file_search_call.results'] }, 'gpt-5.5')).toEqual({
    store: false,
    include: ['file_search_call.results', 'reasoning.encrypted_content'],
  })
  expect(kept.unkept({ include: ['reasoning.encrypted_content'] }, 'gpt-5.5')).toEqual({ store: false })
})

describe('a streamed response that was released', () => {
  const calls = [
    { id: 'call_1', name: 'a', args: { x: 1 } },
    { id: 'call_2', name: 'b' },
  ]
  function released(allowed: readonly string[], more: { readonly close?: string; readonly line?: string; readonly calls?: boolean } = {}) {
    let text = ''
    const gate = new StreamGate(
      responses.streamLens(true),
      { write: (bytes) => (text += bytes.toString()) },
      { maxEventBytes: 1 << 20, holdsEnd: () => true },
    )
    for (const event of responseEvents({ text: 'Hm.', ...(more.calls === false ? {} : { calls }) }, 'm')) gate.push(Buffer.from(event))
    gate.endRound(true)
    if (more.close !== undefined) text += gate.close(more.close)
    if (more.line !== undefined) gate.addText(more.line)
    const whole = gate.released(new Set(allowed))
    if (more.close === undefined) gate.release(new Set(allowed))
    const last = JSON.parse(text.trim().split('\n').at(-1)?.slice('data: '.length) ?? '') as { response: JsonObject }
    return { whole, last: last.response }
  }

  test.each([
    ['all of it', ['call_1', 'call_2'], {}],
    ['without a call', ['call_2'], {}],
    ['closed without calls', [], { close: 'Refused.' }],
    ['with a line of ours', [], { line: 'Told.', calls: false }],
  ])('is what its last event says: %s', (_what, allowed, more) => {
    const { whole, last } = released(allowed, more)
    expect(whole).toEqual(last)
  })

  test('is the response that is not streamed', () => {
    expect(released(['call_1', 'call_2']).whole).toEqual(JSON.parse(response({ text: 'Hm.', calls }, 'm')))
  })
})

describe('to whoever asks', () => {
  test('a response is shown with what it went on from', () => {
    expect(kept.shown({ ...answer, previous: 'resp_0' })).toEqual({ ...answer.response, previous_response_id: 'resp_0', store: true })
  })

  test('its input is shown in pages, newest first unless asked otherwise', () => {
    const input = Array.from({ length: 25 }, (_, at) => ({ role: 'user', content: String(at) }))
    const page = (query: string) =>
      kept.page({ ...answer, input }, new URLSearchParams(query)) as unknown as {
        data: { id: string }[]
        has_more: boolean
        last_id: string
      }
    const all = page('order=asc&limit=100').data
    expect(all).toHaveLength(25)
    expect(new Set(all.map(({ id }) => id)).size).toBe(25)
    const first = page('')
    expect(first).toMatchObject({ object: 'list', has_more: true, first_id: all[24]?.id, last_id: all[5]?.id })
    expect(page(`after=${first.last_id}`)).toMatchObject({ has_more: false, data: all.slice(0, 5).toReversed() })
    for (const wrong of ['limit=0', 'limit=101', 'limit=x', 'order=up', 'after=none']) expect(() => page(wrong)).toThrow('request')
  })

  test('one that is begun, fails or is cancelled says so', () => {
    const begun = kept.begun('resp_9', { model: 'm', input: 'a', temperature: 0, metadata: { a: 'b' } }, 1)
    expect(begun).toMatchObject({
      id: 'resp_9',
      status: 'queued',
      background: true,
      model: 'm',
      temperature: 0,
      metadata: { a: 'b' },
      output: [],
      created_at: 1,
    })
    expect(kept.isWhole(begun)).toBe(false)
    expect(kept.ended(begun, { status: 'failed', code: 'x', message: 'y' })).toMatchObject({
      status: 'failed',
      error: { code: 'x', message: 'y' },
    })
    expect(kept.ended(begun, { status: 'cancelled' })).toMatchObject({ status: 'cancelled', error: null })
    expect(['completed', 'incomplete', undefined, 'failed'].map((status) => kept.isWhole(status === undefined ? {} : { status }))).toEqual([
      true,
      true,
      true,
      false,
    ])
  })
})

describe('a stream in the background', () => {
  test.each([
    ['', undefined],
    ['stream=false&starting_after=x', undefined],
    ['stream=true', -1],
    ['stream=true&starting_after=0', 0],
    ['stream=true&starting_after=17&include_obfuscation=false', 17],
  ])('is asked for with its query: %s', (query, after) => {
    expect(kept.streams.ask(new URLSearchParams(query))).toBe(after)
  })

  test.each(['stream=1', 'stream=true&starting_after=-1', 'stream=true&starting_after=', 'stream=true&starting_after=9999999999999999'])(
    'is not asked for with %s',
    (query) => {
      expect(() => kept.streams.ask(new URLSearchParams(query))).toThrow('request')
    },
  )

  test('begins before it is made, and ends as it is kept', () => {
    const begun = kept.streams.begun({ id: 'resp_1', status: 'queued' })
    expect(begun).toEqual([
      { type: 'response.created', response: { id: 'resp_1', status: 'queued' } },
      { type: 'response.queued', response: { id: 'resp_1', status: 'queued' } },
      { type: 'response.in_progress', response: { id: 'resp_1', status: 'in_progress' } },
    ])
    for (const { type } of begun) expect(kept.streams.isOfWhole(String(type))).toBe(true)
    expect(kept.streams.isOfWhole('response.output_text.delta')).toBe(false)
    const ends = ['completed', 'incomplete', 'failed', 'cancelled'].map((status) => kept.streams.ended({ status }).type)
    expect(ends).toEqual(['response.completed', 'response.incomplete', 'response.failed', 'response.failed'])
    expect(kept.streams.text({ type: 'response.queued', sequence_number: 9 }, 4)).toBe(
      'event: response.queued\ndata: {"type":"response.queued","sequence_number":4}\n\n',
    )
  })
})
