/**
 * Tries an upstream as a call would: the same address, credential, path and dialect, with the smallest question there is.
 * Says what stands in the way in the terms an administrator can act on: the network, the key, the model, the quota.
 */
import type { Upstream } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import type { Credential } from '../core/credential.ts'
import { secretsIn } from '../core/credential.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import { dialectFor } from '../providers/provider.ts'
import { providers } from '../providers/providers.ts'
import type { UpstreamRequest } from '../providers/transport.ts'
import { chatCompletions } from '../wire/dialects/chat-completions/chat-completions.ts'
import { readUpstreamError } from '../wire/hub/upstream-errors.ts'
import { RequestBody } from '../wire/request/request-body.ts'
import { buildRequest, signRequest, type Hop } from './building-request.ts'
import { collectBody } from './collecting-body.ts'
import { maskSecretText } from './masking-secrets.ts'
import { throttlingOf } from './throttling.ts'
import { describeFailure } from './failing-over.ts'
import type { Upstreams } from './upstreams.ts'

export type UpstreamVerdict =
  /** It answered. */
  | 'ok'
  /** Nobody answers at the address, or not in a way that can be trusted. */
  | 'network'
  /** The credential is refused, or may not do this. */
  | 'key'
  /** The model is not known there, or not to this key. */
  | 'model'
  /** There is nothing left to spend, or too much was asked just now. */
  | 'quota'
  /** It answers, and is in trouble of its own. */
  | 'vendor'
  /** It answers something that is not the dialect: most often the address is that of something else. */
  | 'address'

export interface UpstreamTest {
  readonly verdict: UpstreamVerdict
  /** What was asked: the model's name, or undefined for the list of models. */
  readonly model: string | undefined
  readonly status: number | undefined
  /** In one sentence, without secrets. */
  readonly detail: string
  readonly milliseconds: number
}

export interface TestingServices {
  readonly upstreams: Upstreams
  readonly clock: Clock
}

const maxAnswerBytes = 4 * 1024 * 1024
const longestMs = 30_000
const question = 'Answer with the one word: ready.'
/** Room for a word, and for what reasoning models spend before it. */
const mostTokens = 256

/** Asks the model one small question. It costs a few tokens. Never rejects on account of the upstream. */
export function testModel(services: TestingServices, upstream: Upstream, credential: Credential, model: string): Promise<UpstreamTest> {
  const provider = providers[upstream.config.kind]
  const dialect = dialectFor(provider, upstream.config, 'chat-completions')
  const hop: Hop = { target: { upstream, model }, provider, dialect, streamUsage: 'as-asked' }
  const body = { model, max_tokens: mostTokens, messages: [{ role: 'user', content: question }] } satisfies JsonObject
  const call = {
    dialect: chatCompletions,
    model,
    stream: false,
    wantsUsage: false,
    body: new RequestBody(body, chatCompletions.listField),
    bytes: undefined,
    clientHeaders: {},
    traceparent: undefined,
    tracestate: undefined,
  }
  return test(services, hop, credential, model, () => buildRequest(call, hop))
}

/** Asks for the list of models, which costs nothing; undefined where the vendor has none. */
export function testList(services: TestingServices, upstream: Upstream, credential: Credential): Promise<UpstreamTest> | undefined {
  const provider = providers[upstream.config.kind]
  const { modelsPath } = provider
  if (modelsPath === undefined) return undefined
  const hop: Hop = {
    target: { upstream, model: undefined },
    provider,
    dialect: dialectFor(provider, upstream.config, 'chat-completions'),
    streamUsage: 'as-asked',
  }
  const headers = Object.entries({ accept: 'application/json', ...provider.defaultHeaders, ...upstream.config.headers }).flat()
  return test(services, hop, credential, undefined, () => ({ method: 'GET', path: modelsPath, headers, body: '' }))
}

async function test(
  { upstreams, clock }: TestingServices,
  hop: Hop,
  credential: Credential,
  model: string | undefined,
  build: () => UpstreamRequest,
): Promise<UpstreamTest> {
  const { upstream } = hop.target
  const started = clock.monotonic()
  const told = (verdict: UpstreamVerdict, detail: string, status?: number): UpstreamTest => {
    const secrets = [...secretsIn(credential), ...Object.values(upstream.config.headers)]
    return { verdict, model, status, detail: maskSecretText(detail, secrets), milliseconds: Math.round(clock.monotonic() - started) }
  }
  try {
    const request = await signRequest(build(), hop, credential, clock.now())
    const response = await upstreams.of(upstream).send(request, AbortSignal.timeout(longestMs))
    const text = (await collectBody(response, maxAnswerBytes, upstream.name)).toString('utf8')
    const isQuota = throttlingOf(response.status, response.headers) !== undefined
    return told(isQuota ? 'quota' : verdictOf(response.status, text), detailOf(response.status, text), response.status)
  } catch (thrown) {
    const error = thrown instanceof TurnwardError ? thrown : describeFailure(thrown, upstream.name)
    if (error.code === 'upstream.malformed') return told('address', asTurnwardError(error).why ?? error.message)
    // It is of another kind than the upstream takes: nobody was asked.
    if (error.code === 'upstream.credential') return told('key', error.why ?? error.message)
    return told('network', networkProblem(error))
  }
}

const spent = /quota|credit|billing|balance|insufficient|payment/i
const aboutModel = /model|deployment/i

/** What an answer says of its vendor. */
function verdictOf(status: number, text: string): UpstreamVerdict {
  const isJson = isJsonObject(text)
  if (status < 300) return isJson ? 'ok' : 'address'
  const said = isJson ? text : ''
  if (status === 402 || ((status === 400 || status === 403) && spent.test(said) && !aboutModel.test(said))) return 'quota'
  if (status === 401 || status === 403 || (status === 400 && /api[ _-]?key/i.test(said))) return 'key'
  if (status === 404 || status === 400 || status === 422) return isJson && aboutModel.test(said) ? 'model' : 'address'
  return status >= 500 ? 'vendor' : 'address'
}

function detailOf(status: number, text: string): string {
  if (status < 300) return isJsonObject(text) ? 'it answers' : 'it answers something that is no JSON'
  return `it answered ${status}: ${readUpstreamError(text, status).message}`
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
  } catch {
    return false
  }
}

const networkWords: readonly (readonly [RegExp, string])[] = [
  [/ENOTFOUND|EAI_AGAIN/, 'the host name cannot be looked up'],
  [/ECONNREFUSED/, 'nothing listens at the address'],
  [/TIMEOUT|TimeoutError|aborted/i, 'it does not answer in time'],
  [/CERT|SIGNATURE|ISSUER|ALTNAME/, 'its certificate cannot be verified'],
  [/SSL|TLS/, 'it does not speak TLS as it should'],
]

function networkProblem(error: TurnwardError): string {
  const cause = error.cause as { readonly code?: string; readonly name?: string } | undefined
  const said = `${cause?.code ?? ''} ${cause?.name ?? ''} ${error.why ?? ''}`
  return networkWords.find(([pattern]) => pattern.test(said))?.[1] ?? error.why ?? 'the connection failed'
}
