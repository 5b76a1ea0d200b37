/**
 * How authorization servers are reached. Where they are is said by servers, so nothing that is said leads to this machine or
 * into its networks unless an administrator has said so too: a name is resolved once, each of its addresses is judged, and one
 * of those is dialled. No redirect is followed; times and sizes are bounded.
 */
import { lookup as lookupAll } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { addressKind } from '../../core/address-kinds.ts'
import type { GuardedFetch } from '../guarded-fetch.ts'
import { pinnedTo } from '../looked-up-address.ts'

export interface Reach {
  /** Whether http may be used, and this machine be meant, where the address is one of its own. */
  readonly allowHttp: boolean
  /** Whether names may lead to private addresses. */
  readonly allowPrivate: boolean
  /** Origins that an administrator wrote down: private addresses and this machine are meant when they are. */
  readonly trusted: readonly string[]
  /** Those of them that may be asked over http, which nothing secret is ever sent over: what a server says of itself. */
  readonly plain?: readonly string[]
}

/** Why an address is not asked, in words that hold nothing of it but its host. */
export class NotReached extends Error {
  constructor(why: string) {
    super(why)
    this.name = 'NotReached'
  }
}

/** What is needed of `fetch`. `text` is the body. */
export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** All addresses of a name; for tests something else than the resolver of this machine. */
export type Resolve = (host: string) => Promise<readonly string[]>

const resolveAll: Resolve = async (host) => (await lookupAll(host, { all: true })).map(({ address }) => address)

const longestMs = 10_000
const longestBody = 256 * 1024

/** Asks an address. Rejects with a `NotReached`. */
export async function ask(address: string, asking: Asking, reach: Reach, resolve: Resolve = resolveAll): Promise<Response> {
  const url = readAddress(address, reach)
  const signal = AbortSignal.any([AbortSignal.timeout(longestMs), ...(asking.signal === undefined ? [] : [asking.signal])])
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = isIP(host) === 0 ? await addressesOf(host, resolve, signal) : [host]
  for (const each of addresses) {
    const why = refusal(url, each, reach)
    if (why !== undefined) throw new NotReached(`\`${url.host}\` ${why}`)
  }
  const [pinned = host] = addresses
  const { status, headers, body } = await exchange(url, pinned, asking, signal)
  return new Response(status === 204 || status === 304 ? null : body, { status, headers })
}

function readAddress(address: string, { allowHttp, plain = [] }: Reach): URL {
  const url = address.length > 4096 ? null : URL.parse(address)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new NotReached('it named an address that is no https:// URL')
  if (url.username !== '' || url.password !== '') throw new NotReached(`the address at \`${url.host}\` holds a user name or password`)
  if (url.protocol === 'http:' && !allowHttp && !plain.includes(url.origin))
    throw new NotReached(`\`${url.host}\` would be asked over http; that needs \`allow_http\`, and is for this machine only`)
  return url
}

async function addressesOf(host: string, resolve: Resolve, signal: AbortSignal): Promise<readonly string[]> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new NotReached(`\`${host}\` could not be looked up in time`)), { once: true })
  })
  const found = await Promise.race([resolve(host).catch(() => []), aborted])
  if (found.length === 0) throw new NotReached(`the host name \`${host}\` could not be looked up`)
  return found
}

/** Why an address of a host must not be dialled; undefined when it may be. */
function refusal(url: URL, address: string, { allowHttp, allowPrivate, trusted, plain = [] }: Reach): string | undefined {
  const kind = addressKind(address)
  const isTrusted = trusted.includes(url.origin)
  if (url.protocol === 'http:' && kind !== 'loopback' && !plain.includes(url.origin))
    return 'would be asked over http and is not this machine'
  if (kind === 'public') return undefined
  if (kind === 'private') return isTrusted || allowPrivate ? undefined : 'leads to a private address; that needs `allow_private`'
  if (kind === 'loopback') return isTrusted || allowHttp ? undefined : 'leads to this machine; that needs `allow_http`'
  return 'leads to an address that is never asked'
}

interface Answer {
  readonly status: number
  readonly headers: [string, string][]
  readonly body: Buffer
}

function exchange(url: URL, address: string, asking: Asking, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new NotReached(`\`${url.host}\` ${why}`))
    const options: RequestOptions = {
      method: asking.method ?? 'GET',
      headers: { accept: 'application/json', ...asking.headers, 'accept-encoding': 'identity', 'user-agent': 'turnward' },
      // A connection of its own, to exactly this address.
      agent: false,
      lookup: pinnedTo({ address, family: isIP(address) }),
      signal,
    }
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response) => {
      readBody(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: headersOf(response), body }),
        () => fail('sent an answer that is too long or broke off'),
      )
    })
    request.once('error', (error: NodeJS.ErrnoException) =>
      fail(signal.aborted ? 'did not answer in time' : `cannot be reached (${error.code ?? 'it failed'})`),
    )
    request.end(asking.body)
  })
}

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > longestBody) {
      response.destroy()
      throw new NotReached('too long')
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function headersOf({ rawHeaders }: IncomingMessage): [string, string][] {
  const headers: [string, string][] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? ''])
  return headers
}

/** `ask` in the form in which libraries ask. */
export function reachingFetch(reach: Reach, resolve?: Resolve): GuardedFetch {
  return async (address, { method, headers, body, signal } = {}) => {
    const text = body instanceof URLSearchParams ? body.toString() : body
    if (text !== undefined && text !== null && typeof text !== 'string') throw new NotReached('only text is sent')
    const asking = {
      method: method ?? 'GET',
      headers: Object.fromEntries(new Headers(headers).entries()),
      body: text ?? undefined,
      signal: signal ?? undefined,
    }
    return ask(String(address), asking, reach, resolve)
  }
}
