/**
 * Clients of some dialects send their key in a header or a query of their vendor's. It is put where every key is looked for, and
 * taken out of the query: nobody who writes down an address writes down a key.
 */
import type { IncomingMessage } from 'node:http'
import { TurnwardError } from '../core/error.ts'
import type { Dialect } from '../wire/dialect.ts'

/** Throws `request.invalid` for keys that differ. */
export function settleKey(request: IncomingMessage, { keyHeader, keyInQuery }: Dialect): void {
  const { headers } = request
  const sent = new Set<string>()
  if (keyHeader !== undefined) {
    const value = headers[keyHeader]
    for (const key of Array.isArray(value) ? value : [value]) if (key !== undefined && key !== '') sent.add(key)
  }
  if (keyInQuery !== undefined) for (const key of takeFromQuery(request, keyInQuery)) if (key !== '') sent.add(key)
  const [key] = sent
  if (key === undefined) return
  const bearer = headers.authorization ?? ''
  const apiKey = headers['x-api-key'] ?? ''
  if (sent.size > 1 || (bearer !== '' && apiKey !== ''))
    throw new TurnwardError('request.invalid', {
      subject: [keyHeader, keyInQuery, 'authorization'].filter((name) => name !== undefined).join(', '),
      why: 'the request carries several credentials',
      fix: 'Send the virtual key once.',
    })
  // In both, because an edge may have one of them to itself.
  if (bearer === '') headers.authorization = `Bearer ${key}`
  if (apiKey === '') headers['x-api-key'] = key
}

function takeFromQuery(request: IncomingMessage, field: string): readonly string[] {
  const { url = '/' } = request
  const at = url.indexOf('?')
  if (at < 0) return []
  const query = new URLSearchParams(url.slice(at + 1))
  const values = query.getAll(field)
  if (values.length === 0) return []
  query.delete(field)
  request.url = query.size === 0 ? url.slice(0, at) : `${url.slice(0, at)}?${query.toString()}`
  return values
}
