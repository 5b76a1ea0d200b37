/** Google's Gemini API: the model, the operation and the form of a stream are in the path; an API key in a header of Google's. */
import { isObject, type JsonObject } from '../../core/json.ts'
import { pathSegment } from '../path-segment.ts'
import type { ModelsPage, PlaceTarget, Provider } from '../provider.ts'
import { signWithHeader } from '../signing.ts'

const models = '/v1beta/models'
/** What the API puts before the names of its models. */
const prefix = 'models/'

export const gemini: Provider = {
  telemetryName: 'gcp.gemini',
  dialects: { gemini: { path: models, countPath: models } },
  modelsPath: `${models}?pageSize=1000`,
  modelsPage: { parameter: 'pageToken', read: readPage },
  operations: { embeddings: { path: `${models}/{model}:batchEmbedContents`, form: 'gemini' } },
  place,
  sign: signWithHeader('x-goog-api-key'),
  forwardedHeaders: [],
  returnedHeaders: ['retry-after'],
  requestIdHeaders: ['x-request-id'],
  // With status 400, as if the request were wrong.
  refusesCredential: (_headers, body) => /"reason":\s*"API_KEY_(?:INVALID|SERVICE_BLOCKED)"/.test(body),
}

function place({ spoken, operation }: PlaceTarget, model: string, stream: boolean): string {
  const name = pathSegment(model.startsWith(prefix) ? model.slice(prefix.length) : model)
  const asked = operation === 'count' ? 'countTokens' : stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
  return `${spoken.path}/${name}:${asked}`
}

/** Models that can be asked, without those that only make embeddings or pictures. */
function readPage({ models: listed, nextPageToken: next }: JsonObject): ModelsPage | undefined {
  if (!Array.isArray(listed)) return undefined
  const names = listed.filter(isObject).flatMap(({ name, supportedGenerationMethods: methods }) => {
    const canBeAsked = !Array.isArray(methods) || methods.includes('generateContent')
    return typeof name === 'string' && canBeAsked ? [name.startsWith(prefix) ? name.slice(prefix.length) : name] : []
  })
  return { names, next: typeof next === 'string' && next !== '' ? next : undefined }
}
