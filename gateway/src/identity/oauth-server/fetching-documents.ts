/**
 * Fetches documents from addresses that clients name: what they say about themselves, and their keys. Only `https`, only hosts
 * whose addresses are public or that the administrator named, on the very address that was looked at; nothing is followed, and
 * nothing large is read.
 */
import type { LookupAddress } from 'node:dns'
import { request as requestOf, type RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { addressKind } from '../../core/address-kinds.ts'
import { hostOf, pinnedTo, resolveAll } from '../looked-up-address.ts'

export interface FetchingOptions {
  /** Hosts that may have addresses which are not public. */
  readonly privateHosts: ReadonlySet<string>
  /** For tests of what a resolver may say. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>
}

/** A document, as far as anybody here looks at it. */
export interface FetchedDocument {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly text: string
}

const mostBytes = 64 * 1024
const timeoutMs = 5000
const wantedHeaders = ['cache-control', 'expires', 'content-type'] as const

/** Resolves with whatever status the host answers. Rejects when it may not be asked, does not answer in time, or answers with too much. */
export async function fetchDocument(address: string, { privateHosts, resolve = resolveAll }: FetchingOptions): Promise<FetchedDocument> {
  const url = new URL(address)
  if (url.protocol !== 'https:') throw new Error('only https is fetched')
  if (url.username !== '' || url.password !== '') throw new Error('an address with a name and a password is not fetched')
  const host = hostOf(url)
  // A name that ends in a dot is the same host to a resolver and another one to a list.
  if (host.endsWith('.')) throw new Error('a host that ends in a dot is not fetched')
  const addresses = isIP(host) === 0 ? await resolve(host) : [{ address: host, family: isIP(host) }]
  const mayBePrivate = privateHosts.has(host)
  const chosen = addresses.find(({ address: one }) => isAllowed(one, mayBePrivate))
  // One address that may not be dialled is enough: which one is used is not up to us.
  if (chosen === undefined || addresses.some(({ address: one }) => !isAllowed(one, mayBePrivate)))
    throw new Error('the host has an address that is not public')
  return read({
    protocol: url.protocol,
    hostname: host,
    port: url.port === '' ? 443 : Number(url.port),
    path: `${url.pathname}${url.search}`,
    servername: isIP(host) === 0 ? host : '',
    lookup: pinnedTo(chosen),
    agent: false,
    headers: { accept: 'application/json', 'user-agent': 'turnward' },
  })
}

function isAllowed(address: string, mayBePrivate: boolean): boolean {
  const kind = addressKind(address)
  return kind === 'public' || (mayBePrivate && (kind === 'private' || kind === 'loopback'))
}

function read(options: RequestOptions): Promise<FetchedDocument> {
  return new Promise((resolve, reject) => {
    const request = requestOf({ ...options, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > mostBytes) request.destroy(new Error(`the document is larger than ${mostBytes} bytes`))
        else chunks.push(chunk)
      })
      response.once('end', () => {
        const headers = wantedHeaders.flatMap((name) => {
          const value = response.headers[name]
          return value === undefined ? [] : [[name, value] as const]
        })
        resolve({ status: response.statusCode ?? 0, headers: new Map(headers), text: Buffer.concat(chunks).toString('utf8') })
      })
      response.once('error', reject)
    })
    request.once('error', reject)
    request.end()
  })
}
