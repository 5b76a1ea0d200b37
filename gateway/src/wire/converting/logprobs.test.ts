/** How likely the tokens of an answer were: asked for and told in the three dialects that have it, refused by name for the others. */
import { describe, expect, test } from 'vitest'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { objectsOf } from '../request/fields.ts'
import { converterFor } from './converting.ts'
import { payloads, run } from './stream-readers.fixture.ts'

type Telling = 'chat-completions' | 'responses' | 'gemini'

interface Token {
  readonly token: string
  readonly logprob: number
  readonly top?: readonly Token[]
}

const said: readonly Token[] = [
  {
    token: 'No',
    logprob: -0.25,
    top: [
      { token: 'No', logprob: -0.25 },
      { token: 'Yes', logprob: -1.5 },
    ],
  },
  { token: 'on', logprob: -0.5, top: [{ token: 'on', logprob: -0.5 }] },
]
const words = 'Noon'
const bytesOf = (token: string): JsonValue => [...Buffer.from(token)]

const openAi = (tokens: readonly Token[], hasBytes = true): JsonObject[] =>
  tokens.map(({ token, logprob, top = [] }) => ({
    token,
    logprob,
    ...(hasBytes ? { bytes: bytesOf(token) } : {}),
    top_logprobs: top.map((one) => ({ token: one.token, logprob: one.logprob, ...(hasBytes ? { bytes: bytesOf(one.token) } : {}) })),
  }))
const google = (tokens: readonly Token[]): JsonObject => ({
  chosenCandidates: tokens.map(({ token, logprob: logProbability }) => ({ token, logProbability, tokenId: 7 })),
  topCandidates: tokens.map(({ top = [] }) => ({
    candidates: top.map(({ token, logprob: logProbability }) => ({ token, logProbability })),
  })),
})

const hello = { role: 'user', content: 'When?' }
const asking: Readonly<Record<Telling, (top: number) => JsonObject>> = {
  'chat-completions': (top) => ({ model: 'm', messages: [hello], logprobs: true, ...(top > 0 ? { top_logprobs: top } : {}) }),
  responses: (top) => ({
    model: 'm',
    input: [hello],
    include: ['message.output_text.logprobs'],
    ...(top > 0 ? { top_logprobs: top } : {}),
  }),
  gemini: (top) => ({
    model: 'm',
    contents: [{ role: 'user', parts: [{ text: 'When?' }] }],
    generationConfig: { responseLogprobs: true, ...(top > 0 ? { logprobs: top } : {}) },
  }),
}

const answers: Readonly<Record<Telling, JsonObject>> = {
  'chat-completions': {
    id: 'c',
    model: 'm',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: words },
        logprobs: { content: openAi(said), refusal: null },
        finish_reason: 'stop',
      },
    ],
  },
  responses: {
    id: 'r',
    model: 'm',
    status: 'completed',
    output: [
      {
        id: 'i',
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: words, annotations: [], logprobs: openAi(said) }],
      },
    ],
  },
  gemini: {
    candidates: [{ content: { role: 'model', parts: [{ text: words }] }, logprobsResult: google(said), finishReason: 'STOP', index: 0 }],
    modelVersion: 'm',
  },
}

const streams: Readonly<Record<Telling, (JsonObject | '[DONE]')[]>> = {
  'chat-completions': [
    ...said.map((token) => ({
      id: 'c',
      model: 'm',
      choices: [{ index: 0, delta: { content: token.token }, logprobs: { content: openAi([token]) }, finish_reason: null }],
    })),
    { id: 'c', model: 'm', choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }] },
    '[DONE]',
  ],
  responses: [
    { type: 'response.created', response: { id: 'r', model: 'm', status: 'in_progress', output: [] } },
    { type: 'response.output_item.added', output_index: 0, item: { id: 'i', type: 'message', role: 'assistant', content: [] } },
    ...said.map((token) => ({
      type: 'response.output_text.delta',
      output_index: 0,
      content_index: 0,
      delta: token.token,
      logprobs: openAi([token], false),
    })),
    { type: 'response.output_item.done', output_index: 0, item: objectsOf(answers.responses.output)[0] ?? {} },
    { type: 'response.completed', response: answers.responses },
  ],
  gemini: said.map((token, at) => ({
    candidates: [
      {
        content: { role: 'model', parts: [{ text: token.token }] },
        logprobsResult: google([token]),
        index: 0,
        ...(at === said.length - 1 ? { finishReason: 'STOP' } : {}),
      },
    ],
    modelVersion: 'm',
  })),
}

/** All that is told of tokens, in one form. */
function toldIn(dialect: Telling, body: JsonObject): Token[] {
  const token = (one: JsonObject): Token => ({ token: String(one.token), logprob: Number(one.logprob ?? one.logProbability) })
  if (dialect === 'gemini') {
    return objectsOf(body.candidates).flatMap(({ logprobsResult: result }) => {
      const top = isObject(result) ? objectsOf(result.topCandidates) : []
      return (isObject(result) ? objectsOf(result.chosenCandidates) : []).map((one, at) => ({
        ...token(one),
        top: objectsOf(top[at]?.candidates).map(token),
      }))
    })
  }
  const lists =
    dialect === 'responses'
      ? objectsOf(body.output).flatMap(({ content }) => objectsOf(content).map(({ logprobs }) => logprobs))
      : objectsOf(body.choices).map(({ logprobs }) => (isObject(logprobs) ? logprobs.content : undefined))
  return lists.flatMap((list) => objectsOf(list).map((one) => ({ ...token(one), top: objectsOf(one.top_logprobs).map(token) })))
}

const telling = Object.keys(asking) as Telling[]
const pairs = telling.flatMap((client) => telling.filter((upstream) => upstream !== client).map((upstream) => [client, upstream] as const))

describe.each(pairs)('a client of %s on an upstream of %s', (client, upstream) => {
  const converter = converterFor(client, upstream)

  test.each([0, 3])('asks for the %d likeliest of each place', (top) => {
    const leftOut: string[] = []
    const request = converter?.request(asking[client](top), { onLeftOut: (fields) => leftOut.push(...fields) })
    expect(request).toMatchObject(
      Object.fromEntries(Object.entries(asking[upstream](top)).filter(([name]) => !['messages', 'input', 'contents'].includes(name))),
    )
    if (top === 0) expect(JSON.stringify(request)).not.toContain('"top_logprobs"')
    expect(leftOut).toEqual([])
  })

  test('is told of an answer', () => {
    expect(toldIn(client, converter?.response(structuredClone(answers[upstream])) ?? {})).toEqual(said)
  })

  test('is told of a stream, token by token', () => {
    const stream = converter?.stream()
    if (stream === undefined) throw new Error('no converter')
    const events = payloads(run(stream, streams[upstream]))
    const ends = events.flatMap(({ response }) => (isObject(response) ? toldIn('responses', response) : []))
    const deltas = events
      .filter(({ type }) => type === 'response.output_text.delta')
      .map(({ logprobs }) => ({ output: [{ content: [{ logprobs: logprobs ?? [] }] }] }))
    expect((client === 'responses' ? deltas : events).flatMap((event) => toldIn(client, event))).toEqual(said)
    if (client === 'responses') expect(ends).toEqual(said)
  })
})

test.each(telling.flatMap((client) => (['messages', 'converse'] as const).map((upstream) => [client, upstream] as const)))(
  'a client of %s is told by name that %s has nothing of it',
  (client, upstream) => {
    const subject = { 'chat-completions': 'logprobs', responses: 'include', gemini: 'generationConfig.responseLogprobs' }[client]
    expect(() => converterFor(client, upstream)?.request(asking[client](0))).toThrow(
      expect.objectContaining({ code: 'request.unsupported', subject }),
    )
  },
)

test('half a character is a token without text', () => {
  const halves = ['\\xf0\\x9f', '\\x8c\\xa4'].map((token, at) => ({
    choices: [
      {
        index: 0,
        delta: { content: at === 0 ? '' : '🌤' },
        logprobs: { content: openAi([{ token, logprob: -1 }]) },
        finish_reason: at === 0 ? null : 'stop',
      },
    ],
  }))
  const stream = converterFor('responses', 'chat-completions')?.stream()
  if (stream === undefined) throw new Error('no converter')
  const { response } = payloads(run(stream, [...halves, '[DONE]'])).at(-1) ?? {}
  expect(toldIn('responses', isObject(response) ? response : {})).toHaveLength(2)
})
