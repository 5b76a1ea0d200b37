/** Amazon Bedrock: Converse, with a signature of AWS or a Bedrock API key. The model is in the path, the stream in frames of AWS's. */
import { TurnwardError } from '../../core/error.ts'
import { eventStream } from '../../wire/framing/event-stream.ts'
import type { PlaceTarget, Provider, UnsignedRequest } from '../provider.ts'
import type { Credential } from '../../core/credential.ts'
import { signWithBearer } from '../signing.ts'
import { percentEncoded, signV4 } from './signature-v4.ts'

export const bedrock: Provider = {
  telemetryName: 'aws.bedrock',
  dialects: { converse: { path: '/model', framing: eventStream } },
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
  return `${spoken.path}/${percentEncoded(model)}/${stream ? 'converse-stream' : 'converse'}`
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
