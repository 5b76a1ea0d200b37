/** Embeddings as Gemini has them: `:embedContent` for one text, `:batchEmbedContents` for more. Upstreams are asked for batches. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import {
  invalid,
  isAbsent,
  malformed,
  objectsOf,
  requireName,
  requireObject,
  requireObjects,
  requireString,
  unsupported,
} from '../request/fields.ts'
import type {
  EmbeddingForm,
  EmbeddingHints,
  EmbeddingPurpose,
  EmbeddingsAnswered,
  EmbeddingsAsked,
  WrittenEmbeddings,
} from './embedding-form.ts'
import { inParts, mostTexts, otherFields, readCount, readTokens, readVectors, unsaidOf } from './reading-embeddings.ts'

export const geminiEmbeddings: EmbeddingForm = { readRequest, writeRequest, readAnswer, writeAnswer }

/** A batch takes no more. */
const mostAtOnce = 100

const known = ['model', 'content', 'taskType', 'title', 'outputDimensionality']

const purposes: Readonly<Record<string, EmbeddingPurpose>> = {
  RETRIEVAL_QUERY: 'query',
  RETRIEVAL_DOCUMENT: 'document',
  CLASSIFICATION: 'classification',
  CLUSTERING: 'clustering',
  SEMANTIC_SIMILARITY: 'similarity',
  QUESTION_ANSWERING: 'question',
  FACT_VERIFICATION: 'fact',
  CODE_RETRIEVAL_QUERY: 'code-query',
}
const taskTypes = new Map(Object.entries(purposes).map(([name, purpose]) => [purpose, name]))

/** A batch, or one text. What a batch asks of one text it must ask of all: other forms ask once. */
function readRequest(body: JsonObject): EmbeddingsAsked {
  const batch = body.requests
  const requests = isAbsent(batch) ? [body] : requireObjects(batch, 'requests')
  if (requests.length === 0) throw invalid('requests', 'it is empty')
  if (requests.length > mostTexts) throw invalid('requests', `it has more than ${mostTexts} texts: send them in several requests`)
  const at = (index: number): string => (isAbsent(batch) ? '' : `requests[${index}].`)
  const hints = requests.map((request, index) => readHints(request, at(index)))
  const first = hints[0] ?? {}
  hints.forEach((one, index) => {
    if (JSON.stringify(one) !== JSON.stringify(first))
      throw unsupported(`requests[${index}]`, 'another vendor is asked for all texts of a batch in the same way')
  })
  return {
    texts: requests.map((request, index) => readText(request.content, `${at(index)}content`)),
    hints: first,
    names: { purpose: 'taskType', title: 'title', dimensions: 'outputDimensionality' },
    others: [...new Set(requests.flatMap((request) => otherFields(request, known)))],
  }
}

function readHints(request: JsonObject, path: string): EmbeddingHints {
  const { taskType, title } = request
  const isNamed = !isAbsent(taskType) && taskType !== 'TASK_TYPE_UNSPECIFIED'
  return {
    purpose: isNamed ? readPurpose(taskType, `${path}taskType`) : undefined,
    title: isAbsent(title) ? undefined : requireName(title, `${path}title`),
    dimensions: readCount(request.outputDimensionality, `${path}outputDimensionality`),
  }
}

function readPurpose(value: JsonValue, path: string): EmbeddingPurpose {
  const purpose = typeof value === 'string' && Object.hasOwn(purposes, value) ? purposes[value] : undefined
  if (purpose === undefined) throw invalid(path, 'it is no task type that is known')
  return purpose
}

function readText(content: JsonValue | undefined, path: string): string {
  const parts = requireObjects(requireObject(content, path).parts, `${path}.parts`)
  return parts
    .map((part, index) => {
      if (part.text === undefined) throw unsupported(`${path}.parts[${index}]`, 'what is converted for another vendor is text')
      return requireString(part.text, `${path}.parts[${index}].text`)
    })
    .join('')
}

function writeRequest(asked: EmbeddingsAsked, model: string): WrittenEmbeddings {
  const { purpose, title, dimensions } = asked.hints
  const shared: JsonObject = {
    model: `models/${model}`,
    ...(purpose === undefined ? {} : { taskType: taskTypes.get(purpose) ?? '' }),
    ...(title === undefined ? {} : { title }),
    ...(dimensions === undefined ? {} : { outputDimensionality: dimensions }),
  }
  const requests = inParts(asked.texts, mostAtOnce).map((texts) => ({
    body: { requests: texts.map((text) => ({ ...shared, content: { parts: [{ text }] } })) },
    count: texts.length,
  }))
  return { requests, unsaid: unsaidOf(asked, ['purpose', 'title', 'dimensions']) }
}

function readAnswer(body: JsonObject, count: number): EmbeddingsAnswered {
  const { embeddings, usageMetadata: usage } = body
  if (!Array.isArray(embeddings)) throw malformed('it has no vectors')
  return {
    vectors: readVectors(
      objectsOf(embeddings).map(({ values = null }) => values),
      count,
    ),
    tokens: isObject(usage) ? readTokens(usage.promptTokenCount) : undefined,
  }
}

function writeAnswer({ vectors, tokens }: EmbeddingsAnswered, request: JsonObject): JsonObject {
  const usage = tokens === undefined ? {} : { usageMetadata: { promptTokenCount: tokens } }
  const embeddings = vectors.map((vector) => ({ values: [...vector] }))
  return isAbsent(request.requests) ? { embedding: embeddings[0] ?? {}, ...usage } : { embeddings, ...usage }
}
