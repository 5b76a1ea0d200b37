/**
 * Amazon Bedrock: Converse, and Messages for Anthropic's models through InvokeModel, with a signature of AWS or a Bedrock API key.
 * The model is in the path, the stream in frames of AWS's.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { TurnwardError } from '../../core/error.ts'
import { eventStream } from '../../wire/framing/event-stream.ts'
import { invokeStream } from '../../wire/framing/invoke-stream.ts'
import type { JsonObject } from '../../core/json.ts'
import type { PlaceTarget, Provider, UnsignedRequest } from '../provider.ts'
import type { Credential } from '../../core/credential.ts'
import { signWithBearer } from '../signing.ts'
import { percentEncoded, signV4 } from './signature-v4.ts'

export const bedrock: Provider = {
  telemetryName: 'aws.bedrock',
  dialects: {
    converse: { path: '/model/{model}/converse', framing: eventStream },
    messages: { path: '/model/{model}/invoke', framing: invokeStream, serves: isAnthropic, form: invokeForm },
  },
  operations: { embeddings: { path: '/model/{model}/invoke', form: 'bedrock' } },
  place,
  sign,
  forwardedHeaders: [],
  returnedHeaders: ['retry-after', 'x-amzn-requestid', 'x-amzn-errortype'],
  returnedPrefixes: ['x-amzn-bedrock-'],
  requestIdHeaders: ['x-amzn-requestid'],
  refusesCredential: ({ 'x-amzn-errortype': name }) => typeof name === 'string' && aboutCredentials.has(name.split(':', 1)[0] ?? ''),
}

/** What AWS calls a signature or token it does not take, with status 403 or 400. A key that may not do something is another matter. */
const aboutCredentials: ReadonlySet<string> = new Set([
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'IncompleteSignatureException',
  'SignatureDoesNotMatch',
  'InvalidClientTokenId',
  'MissingAuthenticationTokenException',
  'ExpiredTokenException',
  'ExpiredToken',
])

/** A model that is a step up in the path would be another operation. */
function place({ spoken }: PlaceTarget, model: string, stream: boolean): string {
  if (model === '' || model === '.' || model === '..')
    throw new TurnwardError('request.invalid', { subject: 'model', why: 'it names no model' })
  const suffix = spoken.path.endsWith('/invoke') ? '-with-response-stream' : '-stream'
  return `${spoken.path.replace('{model}', percentEncoded(model))}${stream ? suffix : ''}`
}

/** `anthropic.claude-…`, with a region or in an ARN. What a profile of somebody's own stands for, its name does not say: it is asked in Converse. */
function isAnthropic(model: string): boolean {
  return /(?:^|[./])anthropic\.claude/.test(model)
}

/** The version and the betas that are headers elsewhere are fields here. */
function invokeForm({ model: _model, stream: _stream, ...body }: JsonObject, headers: IncomingHttpHeaders): JsonObject {
  const { 'anthropic-beta': betas } = headers
  return {
    anthropic_version: 'bedrock-2023-05-31',
    ...(typeof betas === 'string' ? { anthropic_beta: betas.split(',').map((name) => name.trim()) } : {}),
    ...body,
  }
}

function sign(request: UnsignedRequest, credential: Credential, now: number): readonly string[] {
  if (credential.kind !== 'aws') return signWithBearer(request, credential)
  const url = new URL(request.baseUrl)
  const { method, body, config } = request
  const region = 'region' in config ? config.region : ''
  const path = url.pathname.replace(/\/$/, '') + request.path
  return signV4({ method, host: url.host, path, contentType: contentTypeOf(request), body }, credential, {
    region,
    service: 'bedrock',
    now,
  })
}

function contentTypeOf({ headers }: UnsignedRequest): string {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type')
  return headers[at + 1] ?? ''
}
