/**
 * HTTP addresses in the configuration. An address is refused when a part of it would not be used, or would be read as
 * something other than what is written: dropped credentials and quietly rewritten hosts are found in production only.
 */
import { z } from 'zod'

/** Where requests go; their paths are appended to it, so it has no query. */
export const baseAddressSchema = addressSchema(false)

/** The address of one endpoint, its query included. */
export const endpointAddressSchema = addressSchema(true)

/** Where others reach us: https, or http on this machine; no path, because well-known documents stand at the root. */
export const publicAddressSchema = z
  .string()
  .superRefine((text, context) => {
    const message = problemOf(text, false) ?? problemOfPublic(new URL(text))
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
  .transform((text) => new URL(text).origin)
  .meta({ format: 'uri' })

function problemOfPublic({ protocol, hostname, pathname }: URL): string | undefined {
  if (pathname !== '/') return 'has a path; well-known documents stand at the root of an address'
  const isHere = hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname)
  return protocol === 'https:' || isHere ? undefined : 'must be https; plain http is for this machine only (`localhost`, 127.0.0.1)'
}

/** A PostgreSQL database. What is wrong is said without quoting: it holds a password. */
export const databaseUrlSchema = z.string().superRefine((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isDatabase = url !== undefined && ['postgres:', 'postgresql:'].includes(url.protocol) && url.pathname.length > 1
  if (!isDatabase) context.addIssue({ code: 'custom', message: 'must be `postgres://user:password@host:port/database`' })
})

/** A Valkey or Redis server, or several: hosts are separated by commas. */
export const stateUrlSchema = z.string().superRefine((text, context) => {
  const isState = /^(?:redis|valkey)s?(?:\+(?:sentinel|cluster))?:\/\/(?:[^\s/@]*@)?[^\s/@]+(?:\/[^\s?#]*)?$/.test(text)
  if (!isState)
    context.addIssue({
      code: 'custom',
      message: 'must be `redis://user:password@host:port`, or such an address with `rediss`, `+sentinel` or `+cluster`',
    })
})

function addressSchema(withQuery: boolean) {
  return z
    .string()
    .superRefine((text, context) => {
      const message = problemOf(text, withQuery)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })
    .meta({ format: 'uri' })
}

/** What is wrong with an address, in words that quote nothing of it: it may hold a password. */
function problemOf(text: string, withQuery: boolean): string | undefined {
  if (/[\s\\\p{Cc}]/u.test(text)) return 'holds white space, a control character or a backslash, which cannot be part of an address'
  const parts = /^https?:\/\/([^/?#]+)([^?#]*)(\?[^#]*)?(#.*)?$/i.exec(text)
  if (parts === null || !URL.canParse(text)) return 'must be an http:// or https:// URL'
  const [, authority = '', path = '', query = '', fragment] = parts
  if (authority.includes('@')) return 'holds a user name or password, which would not be sent; use `credential` or `headers`'
  if (fragment !== undefined) return 'holds a fragment (`#…`), which would not be sent'
  if (query !== '' && !withQuery) return 'holds a query (`?…`), which would not be sent; only scheme, host, port and path are used'
  const url = new URL(text)
  if (withoutDefaultPort(authority.toLowerCase(), url.protocol) !== url.host)
    return 'names a host or port in a form that would be rewritten; write a plain host name, a full IP address or the `xn--` form'
  if ((path === '' ? '/' : path) !== url.pathname || query !== url.search)
    return 'holds a path or query that would be rewritten; write it percent-encoded and without `.` or `..` parts'
  return undefined
}

function withoutDefaultPort(authority: string, protocol: string): string {
  const port = protocol === 'https:' ? ':443' : ':80'
  return authority.endsWith(port) ? authority.slice(0, -port.length) : authority
}
