/** Embeddings as Cohere has them: `POST /v2/embed`. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { invalid, isAbsent, malformed, requireArray, unsupported } from '../request/fields.ts'
import type {
  EmbeddingForm,
  EmbeddingHints,
  EmbeddingPurpose,
  EmbeddingsAnswered,
  EmbeddingsAsked,
  WrittenEmbeddings,
} from './embedding-form.ts'
import { inParts, otherFields, packedVector, readCount, readTexts, readTokens, readVectors, unsaidOf } from './reading-embeddings.ts'

export const cohereEmbeddings: EmbeddingForm = { readRequest, writeRequest, readAnswer, writeAnswer }

/** It takes no more at once. */
const mostAtOnce = 96

const known = ['model', 'texts', 'input_type', 'embedding_types', 'output_dimension', 'truncate', 'images', 'inputs']

const purposes: Readonly<Record<string, EmbeddingPurpose>> = {
  search_query: 'query',
  search_document: 'document',
  classification: 'classification',
  clustering: 'clustering',
}
const inputTypes: Readonly<Partial<Record<EmbeddingPurpose, string>>> = {
  query: 'search_query',
  document: 'search_document',
  classification: 'classification',
  clustering: 'clustering',
  question: 'search_query',
  'code-query': 'search_query',
}
const ends = { START: 'start', END: 'end', NONE: 'none' } as const

function readRequest(body: JsonObject): EmbeddingsAsked {
  for (const field of ['images', 'inputs'])
    if (!isAbsent(body[field])) throw unsupported(field, 'what is converted for another vendor is text: use `texts`')
  writtenTypes(body)
  return {
    texts: readTexts(body.texts, 'texts'),
    hints: {
      purpose: isAbsent(body.input_type) ? undefined : oneOf(purposes, body.input_type, 'input_type'),
      dimensions: readCount(body.output_dimension, 'output_dimension'),
      truncate: isAbsent(body.truncate) ? undefined : oneOf(ends, body.truncate, 'truncate'),
    },
    names: { purpose: 'input_type', dimensions: 'output_dimension', truncate: 'truncate' },
    others: otherFields(body, known),
  }
}

function oneOf<Value>(table: Readonly<Record<string, Value>>, value: JsonValue | undefined, path: string): Value {
  const found = typeof value === 'string' && Object.hasOwn(table, value) ? table[value] : undefined
  if (found === undefined) throw invalid(path, `it is none of ${Object.keys(table).join(', ')}`)
  return found
}

/** In which ways vectors are asked for. Quantised ones are made by the model, and by none that answers in numbers. */
function writtenTypes({ embedding_types: types }: JsonObject): readonly string[] {
  if (isAbsent(types)) return ['float']
  const asked = requireArray(types, 'embedding_types')
  for (const type of asked)
    if (type !== 'float' && type !== 'base64') throw unsupported('embedding_types', 'another vendor answers `float` and `base64` only')
  return asked as string[]
}

function writeRequest(asked: EmbeddingsAsked, model: string): WrittenEmbeddings {
  const { texts, hints } = asked
  const { dimensions } = hints
  const shared = { model, ...cohereFields(hints), ...(dimensions === undefined ? {} : { output_dimension: dimensions }) }
  const requests = inParts(texts, mostAtOnce).map((some) => ({ body: { ...shared, texts: [...some] }, count: some.length }))
  return { requests, unsaid: unsaidCohere(asked, ['dimensions']) }
}

/** What its models take here and on Bedrock, whose models that know of purposes will have one. */
export function cohereFields({ purpose, truncate }: EmbeddingHints): JsonObject {
  return {
    input_type: (purpose === undefined ? undefined : inputTypes[purpose]) ?? 'search_document',
    embedding_types: ['float'],
    ...(truncate === undefined ? {} : { truncate: truncate.toUpperCase() }),
  }
}

/** Hints that are not said, purposes that Cohere has no word for among them. */
export function unsaidCohere(asked: EmbeddingsAsked, more: readonly (keyof EmbeddingHints)[]): readonly (keyof EmbeddingHints)[] {
  const { purpose } = asked.hints
  const isSaid = purpose === undefined || inputTypes[purpose] !== undefined
  return unsaidOf(asked, [...more, 'truncate', ...(isSaid ? (['purpose'] as const) : [])])
}

/** Vectors by type, or, as older models answer on Bedrock, as they are. */
export function readAnswer(body: JsonObject, count: number): EmbeddingsAnswered {
  const { embeddings, meta } = body
  const vectors = isObject(embeddings) ? embeddings.float : embeddings
  if (vectors === undefined) throw malformed('it has no vectors')
  const billed = isObject(meta) && isObject(meta.billed_units) ? meta.billed_units : {}
  return { vectors: readVectors(vectors, count), tokens: readTokens(billed.input_tokens) }
}

function writeAnswer({ vectors, tokens }: EmbeddingsAnswered, request: JsonObject): JsonObject {
  const embeddings: JsonObject = {}
  for (const type of writtenTypes(request))
    embeddings[type] = vectors.map((vector) => (type === 'base64' ? packedVector(vector) : [...vector]))
  return {
    embeddings,
    texts: request.texts ?? [],
    meta: { api_version: { version: '2' }, ...(tokens === undefined ? {} : { billed_units: { input_tokens: tokens } }) },
    response_type: 'embeddings_by_type',
  }
}
