/** Every form of embeddings: what is asked and answered means the same in each, and what one cannot say is named. */
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import type { EmbeddingForm } from './embedding-form.ts'
import { embeddingForms, embeddingsLeftOut, joinAnswers } from './embedding-forms.ts'

const { openai, gemini, cohere, bedrock } = embeddingForms

/** A request in one form as another sends it. */
function convert(
  from: EmbeddingForm,
  body: JsonObject,
  to: EmbeddingForm,
  model = 'm',
): { bodies: JsonObject[]; leftOut: readonly string[] } {
  const asked = from.readRequest(body)
  const written = to.writeRequest(asked, model)
  return { bodies: written.requests.map((request) => request.body), leftOut: embeddingsLeftOut(asked, written) }
}

const openaiBody = { model: 'x', input: ['a', 'b'], dimensions: 256, encoding_format: 'base64', user: 'u' }
const cohereBody = {
  model: 'x',
  texts: ['a', 'b'],
  input_type: 'search_query',
  output_dimension: 256,
  truncate: 'END',
  embedding_types: ['float'],
}
const geminiBody = { model: 'models/x', content: { parts: [{ text: 'a' }, { text: 'b' }] }, taskType: 'RETRIEVAL_QUERY', title: 't' }

describe('a request', () => {
  test('in the form of OpenAI', () => {
    expect(convert(openai, openaiBody, gemini)).toEqual({
      bodies: [{ requests: ['a', 'b'].map((text) => ({ model: 'models/m', outputDimensionality: 256, content: { parts: [{ text }] } })) }],
      leftOut: ['user'],
    })
    expect(convert(openai, openaiBody, cohere)).toEqual({
      bodies: [{ model: 'm', input_type: 'search_document', embedding_types: ['float'], output_dimension: 256, texts: ['a', 'b'] }],
      leftOut: ['user'],
    })
    expect(convert(openai, openaiBody, bedrock, 'amazon.titan-embed-text-v2:0')).toEqual({
      bodies: [
        { inputText: 'a', dimensions: 256 },
        { inputText: 'b', dimensions: 256 },
      ],
      leftOut: ['user'],
    })
    expect(convert(openai, openaiBody, bedrock, 'eu.cohere.embed-multilingual-v3')).toEqual({
      bodies: [{ input_type: 'search_document', embedding_types: ['float'], texts: ['a', 'b'] }],
      leftOut: ['dimensions', 'user'],
    })
  })

  test('in the form of Cohere', () => {
    expect(convert(cohere, cohereBody, openai)).toEqual({
      bodies: [{ model: 'm', encoding_format: 'float', dimensions: 256, input: ['a', 'b'] }],
      leftOut: ['input_type', 'truncate'],
    })
    expect(convert(cohere, cohereBody, gemini).bodies[0]).toMatchObject({ requests: [{ taskType: 'RETRIEVAL_QUERY' }, {}] })
  })

  test('in the form of Gemini', () => {
    expect(convert(gemini, geminiBody, cohere)).toEqual({
      bodies: [{ model: 'm', input_type: 'search_query', embedding_types: ['float'], texts: ['ab'] }],
      leftOut: ['title'],
    })
    const batch = { requests: [geminiBody, { ...geminiBody, content: { parts: [{ text: 'c' }] } }] }
    expect(convert(gemini, batch, openai)).toEqual({
      bodies: [{ model: 'm', encoding_format: 'float', input: ['ab', 'c'] }],
      leftOut: ['taskType', 'title'],
    })
    expect(convert(gemini, { ...geminiBody, taskType: 'FACT_VERIFICATION' }, cohere).leftOut).toEqual(['taskType', 'title'])
  })

  test.each<[string, EmbeddingForm, JsonObject, string]>([
    ['tokens', openai, { input: [1, 2] }, 'input'],
    ['lists of tokens', openai, { input: [[1], [2]] }, 'input'],
    ['nothing', openai, { input: [] }, 'input'],
    ['a number', openai, { input: 7 }, 'input'],
    ['a form of vectors nobody knows', openai, { input: 'a', encoding_format: 'int8' }, 'encoding_format'],
    ['no dimensions', openai, { input: 'a', dimensions: 0 }, 'dimensions'],
    ['pictures', cohere, { images: ['data:image/png;base64,AA=='] }, 'images'],
    ['quantised vectors', cohere, { texts: ['a'], embedding_types: ['int8'] }, 'embedding_types'],
    ['an unknown purpose', cohere, { texts: ['a'], input_type: 'constructor' }, 'input_type'],
    ['a picture', gemini, { content: { parts: [{ inlineData: {} }] } }, 'content.parts[0]'],
    ['two purposes', gemini, { requests: [geminiBody, { content: { parts: [{ text: 'b' }] } }] }, 'requests[1]'],
    ['a batch of none', gemini, { requests: [] }, 'requests'],
    ['too many', openai, { input: Array.from({ length: 2049 }, () => 'a') }, 'input'],
  ])('with %s is refused by name', (_what, form, body, subject) => {
    expect(() => form.readRequest(body)).toThrow(expect.objectContaining({ subject }))
  })

  test('of more texts than a vendor takes is sent in parts, in order', () => {
    const texts = Array.from({ length: 205 }, (_, at) => `t${at}`)
    const counts = (to: EmbeddingForm, model: string): number[] =>
      to.writeRequest(openai.readRequest({ input: texts }), model).requests.map(({ count }) => count)
    expect(counts(gemini, 'm')).toEqual([100, 100, 5])
    expect(counts(cohere, 'm')).toEqual([96, 96, 13])
    expect(() => counts(bedrock, 'amazon.titan-embed-text-v2:0')).toThrow(/no more than 96/)
    expect(() => counts(bedrock, 'nobody.knows')).toThrow(/not known/)
  })
})

describe('an answer', () => {
  const vectors = [
    [0.5, -1],
    [2, 0.25],
  ]
  test.each<[string, EmbeddingForm, JsonObject, number | undefined]>([
    [
      'OpenAI, out of order',
      openai,
      { data: [1, 0].map((index) => ({ index, embedding: vectors[index] as number[] })), usage: { prompt_tokens: 3 } },
      3,
    ],
    ['Gemini', gemini, { embeddings: vectors.map((values) => ({ values })) }, undefined],
    ['Gemini with usage', gemini, { embeddings: vectors.map((values) => ({ values })), usageMetadata: { promptTokenCount: 3 } }, 3],
    ['Cohere', cohere, { embeddings: { float: vectors }, meta: { billed_units: { input_tokens: 3 } } }, 3],
    ['Cohere on Bedrock', bedrock, { embeddings: vectors }, undefined],
  ])('of %s', (_vendor, form, body, tokens) => {
    expect(form.readAnswer(body, 2)).toEqual({ vectors, tokens })
  })

  test('of Titan is one vector', () => {
    expect(bedrock.readAnswer({ embedding: [1, 2], inputTextTokenCount: 4 }, 1)).toEqual({ vectors: [[1, 2]], tokens: 4 })
  })

  test.each<[string, EmbeddingForm, JsonObject]>([
    ['too few', openai, { data: [{ index: 0, embedding: [1] }] }],
    ['one text twice', openai, { data: [0, 0].map((index) => ({ index, embedding: [1] })) }],
    ['an index that is none', openai, { data: [0, '__proto__'].map((index) => ({ index, embedding: [1] })) }],
    ['too many', gemini, { embeddings: [1, 2, 3].map((one) => ({ values: [one] })) }],
    ['no numbers', cohere, { embeddings: { float: [['1'], [2]] } }],
    ['nothing', cohere, {}],
    ['nothing', gemini, {}],
    ['nothing', bedrock, {}],
  ])('with %s is malformed', (_what, form, body) => {
    expect(() => form.readAnswer(body, 2)).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
  })

  test('is written as it was asked for', () => {
    const answered = joinAnswers([
      { vectors: vectors.slice(0, 1), tokens: 1 },
      { vectors: vectors.slice(1), tokens: 2 },
    ])
    const packed = openai.writeAnswer(answered, { model: 'x', encoding_format: 'base64' })
    const first = (packed.data as { embedding: string }[])[0]?.embedding ?? ''
    expect([...new Float32Array(new Uint8Array(Buffer.from(first, 'base64')).buffer)]).toEqual([0.5, -1])
    expect(packed).toMatchObject({ object: 'list', model: 'x', usage: { prompt_tokens: 3, total_tokens: 3 } })
    expect(cohere.writeAnswer(answered, { texts: ['a', 'b'], embedding_types: ['float'] })).toMatchObject({
      embeddings: { float: vectors },
      texts: ['a', 'b'],
      meta: { billed_units: { input_tokens: 3 } },
    })
    expect(gemini.writeAnswer(answered, { requests: [] })).toMatchObject({ embeddings: vectors.map((values) => ({ values })) })
    expect(gemini.writeAnswer(answered, {})).toMatchObject({ embedding: { values: [0.5, -1] } })
  })
})
