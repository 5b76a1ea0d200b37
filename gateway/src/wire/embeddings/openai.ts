/** Embeddings as OpenAI has them: `POST /v1/embeddings`. */
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { invalid, isAbsent, malformed, objectsOf, unsupported } from '../request/fields.ts'
import type { EmbeddingForm, EmbeddingsAnswered, EmbeddingsAsked, WrittenEmbeddings } from './embedding-form.ts'
import {
  inParts,
  mostTexts,
  otherFields,
  packedVector,
  readCount,
  readTexts,
  readTokens,
  readVectors,
  unsaidOf,
} from './reading-embeddings.ts'
import { isObject } from '../../core/json.ts'

export const openaiEmbeddings: EmbeddingForm = { readRequest, writeRequest, readAnswer, writeAnswer }

const known = ['model', 'input', 'dimensions', 'encoding_format']

function readRequest(body: JsonObject): EmbeddingsAsked {
  isPacked(body)
  return {
    texts: readInput(body.input),
    hints: { dimensions: readCount(body.dimensions, 'dimensions') },
    names: { dimensions: 'dimensions' },
    others: otherFields(body, known),
  }
}

function readInput(input: JsonValue | undefined): readonly string[] {
  if (typeof input === 'string') return [input]
  if (Array.isArray(input) && input.some((one) => typeof one === 'number' || Array.isArray(one)))
    throw unsupported('input', 'the tokens of one vendor mean nothing to another', 'Send the text itself.')
  return readTexts(input, 'input')
}

/** Whether vectors are asked for in base64. */
function isPacked({ encoding_format: format }: JsonObject): boolean {
  if (!isAbsent(format) && format !== 'float' && format !== 'base64') throw invalid('encoding_format', 'it is neither float nor base64')
  return format === 'base64'
}

function writeRequest(asked: EmbeddingsAsked, model: string): WrittenEmbeddings {
  const { dimensions } = asked.hints
  const shared = { model, encoding_format: 'float', ...(dimensions === undefined ? {} : { dimensions }) }
  const requests = inParts(asked.texts, mostTexts).map((input) => ({ body: { ...shared, input: [...input] }, count: input.length }))
  return { requests, unsaid: unsaidOf(asked, ['dimensions']) }
}

function readAnswer(body: JsonObject, count: number): EmbeddingsAnswered {
  const data = objectsOf(body.data)
  const inOrder: JsonValue[] = Array.from({ length: count }, () => null)
  for (const [at, { index = at, embedding = null }] of data.entries()) {
    if (typeof index !== 'number' || inOrder[index] !== null) throw malformed('a vector belongs to no text')
    inOrder[index] = embedding
  }
  const usage = isObject(body.usage) ? body.usage : {}
  return { vectors: readVectors(inOrder, count), tokens: readTokens(usage.prompt_tokens) }
}

function writeAnswer({ vectors, tokens = 0 }: EmbeddingsAnswered, request: JsonObject): JsonObject {
  const packed = isPacked(request)
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: packed ? packedVector(vector) : [...vector] })),
    model: request.model ?? '',
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}
