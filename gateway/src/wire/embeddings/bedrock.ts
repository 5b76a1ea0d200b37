/** Embeddings on Amazon Bedrock: `InvokeModel`, in the form of who made the model. Titan takes one text at once. */
import type { JsonObject } from '../../core/json.ts'
import { unsupported } from '../request/fields.ts'
import { cohereFields, readAnswer as readCohereAnswer, unsaidCohere } from './cohere.ts'
import type { EmbeddingForm, EmbeddingsAnswered, EmbeddingsAsked, WrittenEmbeddings } from './embedding-form.ts'
import { inParts, readTokens, readVectors, unsaidOf } from './reading-embeddings.ts'

export const bedrockEmbeddings: EmbeddingForm = {
  readRequest() {
    throw unsupported('model', 'embeddings in the form of Bedrock are not taken from callers', 'Ask at `/v1/embeddings`.')
  },
  writeRequest,
  readAnswer,
  writeAnswer() {
    throw unsupported('model', 'embeddings in the form of Bedrock are not given to callers')
  },
}

/** Cohere's take no more at once; of Titan's, each text is a request. */
const mostOfCohere = 96
const mostOfTitan = 96

function writeRequest(asked: EmbeddingsAsked, model: string): WrittenEmbeddings {
  if (/cohere\.embed/i.test(model)) return writeCohere(asked)
  if (/titan-embed-text/i.test(model)) return writeTitan(asked, model)
  throw unsupported('model', `how \`${model}\` embeds is not known: its name holds neither \`titan-embed-text\` nor \`cohere.embed\``)
}

function writeCohere(asked: EmbeddingsAsked): WrittenEmbeddings {
  const shared = cohereFields(asked.hints)
  const requests = inParts(asked.texts, mostOfCohere).map((texts) => ({ body: { ...shared, texts: [...texts] }, count: texts.length }))
  return { requests, unsaid: unsaidCohere(asked, []) }
}

function writeTitan(asked: EmbeddingsAsked, model: string): WrittenEmbeddings {
  if (asked.texts.length > mostOfTitan)
    throw unsupported('input', `Titan takes one text at once, and no more than ${mostOfTitan} are asked for in one request`)
  // The first generation takes the text alone.
  const isFirst = /titan-embed-text-v1|titan-embed-g1/i.test(model)
  const { dimensions } = asked.hints
  const options: JsonObject = isFirst || dimensions === undefined ? {} : { dimensions }
  return {
    requests: asked.texts.map((text) => ({ body: { inputText: text, ...options }, count: 1 })),
    unsaid: unsaidOf(asked, isFirst ? [] : ['dimensions']),
  }
}

function readAnswer(body: JsonObject, count: number): EmbeddingsAnswered {
  if (body.embeddings !== undefined) return readCohereAnswer(body, count)
  return { vectors: readVectors([body.embedding ?? null], count), tokens: readTokens(body.inputTextTokenCount) }
}
