/** Embeddings of a caller in one form from an upstream of another: as many requests as the upstream needs, one answer. */
import type { RouteTarget } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { collectBody } from '../../models/collecting-body.ts'
import { embeddingForms, embeddingsLeftOut, joinAnswers } from '../../wire/embeddings/embedding-forms.ts'
import type { EmbeddingsAnswered } from '../../wire/embeddings/embedding-form.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import type { OperationCall } from '../recording/recording-operation.ts'
import { type OperationBody, type OperationTarget, openWay } from './opening-way.ts'
import { operationHeaders, refusalOf } from './relaying-operation.ts'

/** Requests of one caller that are under way at an upstream at once. */
const atOnce = 8

/** Rejects with `request.*` for what cannot be said there, with `upstream.*`, or with the abort reason. Nothing has gone out then. */
export async function askConverted(
  call: OperationCall,
  origin: CallOrigin,
  { target, place }: OperationTarget,
  { json = {}, form }: OperationBody,
): Promise<void> {
  const theirs = embeddingForms[place.form]
  const asked = embeddingForms[form].readRequest(json)
  const written = theirs.writeRequest(asked, target.model ?? call.model)
  call.leftOut = embeddingsLeftOut(asked, written)
  const send = await openWay(call, origin, { target, place })
  const answers: EmbeddingsAnswered[] = []
  for (let from = 0; from < written.requests.length; from += atOnce) {
    const some = written.requests.slice(from, from + atOnce)
    const ask = async ({ body, count }: (typeof some)[number]): Promise<EmbeddingsAnswered> => {
      const sent = await send(JSON.stringify(body))
      if (sent.response.status >= 400) throw await refusalOf(sent)
      const bytes = await collectBody(sent.response, call.snapshot.settings.limits.max_response_bytes, target.upstream.name)
      return theirs.readAnswer(parseAnswer(bytes, target), count)
    }
    // Each is read to its end, whatever the others say: an answer that nobody reads holds its connection.
    for (const settled of await Promise.allSettled(some.map(ask))) {
      if (settled.status === 'rejected') throw settled.reason
      answers.push(settled.value)
    }
  }
  const answered = joinAnswers(answers)
  if (answered.tokens !== undefined)
    call.used = { upstream: target.upstream, models: [target.model ?? call.model], usage: { inputTokens: answered.tokens } }
  const body = JSON.stringify(embeddingForms[form].writeAnswer(answered, json))
  origin.outlet.head(200, { ...operationHeaders(call, 'application/json'), 'content-length': Buffer.byteLength(body) })
  origin.outlet.end(body)
}

function parseAnswer(bytes: Buffer, { upstream }: RouteTarget): JsonObject {
  const isNot = (cause?: unknown): TurnwardError =>
    new TurnwardError('upstream.malformed', { subject: upstream.name, why: 'it is no JSON object', cause })
  try {
    const body: unknown = JSON.parse(bytes.toString('utf8'))
    if (isObject(body)) return body
  } catch (error) {
    throw isNot(error)
  }
  throw isNot()
}
