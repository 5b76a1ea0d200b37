/**
 * `POST /v1/messages/count_tokens`: asks the vendor when the route leads to one that counts, and estimates
 * otherwise (marked as such). The vendor sees the text, so key and grant are needed as for a call.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RouteTarget } from '../config/snapshot.ts'
import { newId } from '../core/ids.ts'
import type { JsonObject } from '../core/json.ts'
import { resolveCredential } from '../identity/credentials.ts'
import { collectBody } from '../models/collecting-body.ts'
import { buildRequest } from '../models/building-request.ts'
import { providers } from '../providers/providers.ts'
import type { Dialect } from '../wire/dialect.ts'
import { answerError } from './answering-client.ts'
import { authoriseModel } from './authorising-model.ts'
import { readModelRequest } from './reading-request.ts'
import type { Services } from './services.ts'

const maxAnswerBytes = 64 * 1024

export async function countTokens(services: Services, request: IncomingMessage, response: ServerResponse, dialect: Dialect): Promise<void> {
  const snapshot = services.snapshot()
  try {
    const caller = await services.authenticator.authenticate(request.headers, snapshot)
    const { bytes, body, view } = await readModelRequest(services, request, caller, dialect, snapshot)
    const { route } = authoriseModel(snapshot, caller.principal, view.model)
    const target = route.targets.find((candidate) => providers[candidate.upstream.config.kind].countPath !== undefined)
    if (target === undefined) {
      answer(response, 200, JSON.stringify({ input_tokens: estimate(body.json) }), true)
      return
    }
    const provider = providers[target.upstream.config.kind]
    const credential = resolveCredential(snapshot, caller, target.upstream.name)
    const outgoing = {
      dialect,
      model: view.model,
      stream: false,
      wantsUsage: true,
      body,
      bytes,
      clientHeaders: request.headers,
      traceparent: undefined,
      tracestate: undefined,
    }
    const built = buildRequest(outgoing, target, provider, credential.secret)
    const signal = AbortSignal.timeout(target.upstream.config.timeout_ms)
    const counted = await services.upstreams.of(target.upstream).send({ ...built, path: provider.countPath ?? built.path }, signal)
    const text = await collectBody(counted, maxAnswerBytes, target.upstream.name)
    const refused = counted.status === 401 || counted.status === 403
    answer(response, refused ? 502 : counted.status, refused ? refusedText(dialect, target) : text.toString('utf8'), false)
  } catch (error) {
    answerError(response, dialect, error)
  }
}

// Four bytes to a token: close enough to decide when to compact a conversation, which is what it is asked for.
function estimate(body: JsonObject): number {
  const { model: _model, ...content } = body
  return Math.ceil(Buffer.byteLength(JSON.stringify(content)) / 4)
}

function refusedText(dialect: Dialect, target: RouteTarget): string {
  const message = `The upstream ${target.upstream.name} refused the credential of the gateway.`
  return JSON.stringify(dialect.errorBody({ status: 502, code: 'upstream.failed', message }))
}

function answer(response: ServerResponse, status: number, text: string, isEstimate: boolean): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-turnward-call': newId('mc'),
    ...(isEstimate ? { 'x-turnward-estimated': 'true' } : {}),
  })
  response.end(text)
}
