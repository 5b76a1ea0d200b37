/**
 * `fetch` for what an identity provider is asked: its metadata, its keys, its tokens. Its own host is the administrator's
 * choice and may be anywhere but where platforms hand out credentials; any other host its metadata names must be public. The
 * address that was looked at is the one that is dialled, redirects are not followed, and nothing large or slow is read.
 */
import type { LookupAddress } from 'node:dns'
import { request as plainRequest } from 'node:http'
import { request as secureRequest, type RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { addressKind } from '../core/address-kinds.ts'
import { hostOf, pinnedTo, resolveAll } from './looked-up-address.ts'

export interface GuardedFetchOptions {
  /** Address of the issuer, as configured. */
  readonly home: string
  /** Whether its host may be asked over http, on this machine. */
  readonly allowHttp: boolean
  /** For tests of what a resolver may say. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>
}

/** What is asked, as `openid-client` and `jose` ask. */
export interface GuardedRequest {
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | Headers | undefined
  readonly body?: unknown
  readonly signal?: AbortSignal | null | undefined
}

export type GuardedFetch = (address: string | URL, request?: GuardedRequest) => Promise<Response>

const mostBytes = 1024 * 1024
const timeoutMs = 10_000

/** Rejects when an address may not be asked, does not answer in time, or answers with too much. */
export function guardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const home = hostOf(new URL(options.home))
  return async (address, request = {}) => {
    const url = new URL(address)
    const host = hostOf(url)
    const isHome = host === home
    if (url.username !== '' || url.password !== '') throw new Error('an address with a name and a password is not asked')
    const isPlain = url.protocol === 'http:' && options.allowHttp && isHome
    if (url.protocol !== 'https:' && !isPlain) throw new Error(`${host} is asked over https only`)
    const addresses = isIP(host) === 0 ? await (options.resolve ?? resolveAll)(host) : [{ address: host, family: isIP(host) }]
    const mayDial = ({ address: one }: LookupAddress): boolean => {
      const kind = addressKind(one)
      return isPlain ? kind === 'loopback' : kind === 'public' || (isHome && (kind === 'private' || kind === 'loopback'))
    }
    const [chosen] = addresses
    // One address that may not be dialled is enough: which one is used is not up to us.
    if (chosen === undefined || !addresses.every(mayDial)) throw new Error(`${host} has an address that may not be asked`)
    return send(url, host, chosen, request)
  }
}

async function send(
  url: URL,
  host: string,
  chosen: LookupAddress,
  { method = 'GET', headers, body, signal }: GuardedRequest,
): Promise<Response> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const text = body === undefined || body === null ? undefined : Buffer.from(bodyText(body))
  const options: RequestOptions = {
    method,
    hostname: host,
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    ...(url.protocol === 'https:' ? { servername: isIP(host) === 0 ? host : '' } : {}),
    lookup: pinnedTo(chosen),
    agent: false,
    headers: {
      'user-agent': 'turnward',
      ...Object.fromEntries(new Headers(headers)),
      ...(text === undefined ? {} : { 'content-length': text.length }),
    },
    signal: signal === undefined || signal === null ? deadline : AbortSignal.any([signal, deadline]),
  }
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? secureRequest : plainRequest)(options, (response) => {
      const parts: Buffer[] = []
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes > mostBytes) request.destroy(new Error(`${host} answers with more than ${mostBytes} bytes`))
        else parts.push(part)
      })
      response.once('error', reject)
      response.once('end', () => {
        const told = new Headers()
        for (const [name, value] of Object.entries(response.headers)) if (value !== undefined) told.set(name, String(value))
        const status = response.statusCode ?? 502
        const hasNoBody = status === 204 || status === 205 || status === 304
        resolve(new Response(hasNoBody ? null : Buffer.concat(parts), { status, headers: told }))
      })
    })
    request.once('error', reject)
    request.end(text)
  })
}

function bodyText(body: unknown): string | Uint8Array {
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  if (body instanceof URLSearchParams) return body.toString()
  throw new TypeError('only text is sent')
}
