/** The table of forms of embeddings, and what a request has that another form does not. */
import { bedrockEmbeddings } from './bedrock.ts'
import { cohereEmbeddings } from './cohere.ts'
import type { EmbeddingForm, EmbeddingFormName, EmbeddingsAnswered, EmbeddingsAsked, WrittenEmbeddings } from './embedding-form.ts'
import { geminiEmbeddings } from './gemini.ts'
import { openaiEmbeddings } from './openai.ts'

export const embeddingForms: Readonly<Record<EmbeddingFormName, EmbeddingForm>> = {
  openai: openaiEmbeddings,
  gemini: geminiEmbeddings,
  cohere: cohereEmbeddings,
  bedrock: bedrockEmbeddings,
}

/** Names of fields of the caller's request that are not sent, sorted. */
export function embeddingsLeftOut({ names, others }: EmbeddingsAsked, { unsaid }: WrittenEmbeddings): readonly string[] {
  return [...others, ...unsaid.map((hint) => names[hint] ?? hint)].sort()
}

/** The answers to the bodies of one request as one. Tokens are known only where every answer says them. */
export function joinAnswers(answers: readonly EmbeddingsAnswered[]): EmbeddingsAnswered {
  const counts = answers.map(({ tokens }) => tokens)
  return {
    vectors: answers.flatMap(({ vectors }) => vectors),
    tokens: counts.includes(undefined) ? undefined : counts.reduce<number>((sum, tokens) => sum + (tokens ?? 0), 0),
  }
}
