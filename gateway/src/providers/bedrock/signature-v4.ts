/**
 * AWS Signature Version 4: a request is proved with a key that never travels. Written here because it is a page of HMACs over
 * bytes and a flat list of headers that are there already, and signing must not make a call wait; checked against AWS's own
 * implementation.
 */
import { createHmac, hash, type BinaryLike } from 'node:crypto'
import type { AwsCredential } from '../../core/credential.ts'

export interface SignedRequest {
  readonly method: string
  readonly host: string
  /** As it is sent: percent-encoded, with its query. */
  readonly path: string
  readonly contentType: string
  readonly body: Buffer | string
}

export interface SigningScope {
  readonly region: string
  readonly service: string
  /** Milliseconds since 1970. */
  readonly now: number
}

const algorithm = 'AWS4-HMAC-SHA256'

/** The headers to add, as a flat list of names and values. */
export function signV4(request: SignedRequest, credential: AwsCredential, { region, service, now }: SigningScope): string[] {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const day = time.slice(0, 8)
  const scope = `${day}/${region}/${service}/aws4_request`
  const headers: readonly (readonly [string, string])[] = [
    ['content-type', request.contentType],
    ['host', request.host],
    ['x-amz-date', time],
    ...(credential.sessionToken === undefined ? [] : [['x-amz-security-token', credential.sessionToken] as const]),
  ]
  const names = headers.map(([name]) => name).join(';')
  const canonical = [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.path),
    ...headers.map(([name, value]) => `${name}:${value.trim().replace(/ +/g, ' ')}`),
    '',
    names,
    hash('sha256', request.body, 'hex'),
  ].join('\n')
  const toSign = [algorithm, time, scope, hash('sha256', canonical, 'hex')].join('\n')
  let key: BinaryLike = `AWS4${credential.secretAccessKey}`
  for (const part of [day, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest()
  const signature = createHmac('sha256', key).update(toSign).digest('hex')
  const added = headers.filter(([name]) => name.startsWith('x-amz-')).flat()
  return [
    ...added,
    'authorization',
    `${algorithm} Credential=${credential.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  ]
}

/** What is encoded on the wire is encoded once more here, as every service but S3 wants it. */
function canonicalPath(path: string): string {
  const [plain = ''] = path.split('?', 1)
  return plain.split('/').map(percentEncoded).join('/') || '/'
}

function canonicalQuery(path: string): string {
  const at = path.indexOf('?')
  if (at < 0) return ''
  const pairs = path
    .slice(at + 1)
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
  return pairs.sort().join('&')
}

/** RFC 3986: everything but letters, digits and `-._~`. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
