/**
 * Addresses are used as they are written or refused: a part that nobody sends on would be dropped without a word, and what
 * is read in another way than it looks would reach somewhere else.
 */
import type { ConfigPath } from './locate.ts'
import type { ReportAt } from './problems.ts'

/** Reports every part of an `http(s)` address that would not be used. `hasQuery`: its query is sent. */
export function checkAddress(text: string, path: ConfigPath, report: ReportAt, { hasQuery }: { readonly hasQuery: boolean }): void {
  const url = URL.parse(text)
  // Another problem, of the schema.
  if (url === null) return
  if (url.username !== '' || url.password !== '')
    report(path, 'carries a user name or password, which would not be sent; put them in `headers` or a credential')
  if (url.hash !== '' || text.includes('#')) report(path, 'has a part after `#`, which is never sent; remove it')
  if (!hasQuery && (url.search !== '' || text.includes('?')))
    report(path, 'has a part after `?`, which would not be sent; leave it out, or have an edge add it')
  const written = /^[a-z]+:\/\/[^/?#\\]*(\/[^?#]*)?/i.exec(text)?.[1] ?? ''
  const isRead = written === url.pathname || (written === '' && url.pathname === '/')
  if (/\s/.test(text) || (!isRead && url.username === '')) report(path, `would be read as \`${url.origin}${url.pathname}\`; write it so`)
}
