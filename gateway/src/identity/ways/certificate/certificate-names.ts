/** Names in certificates (RFC 5280, section 4.2.1.6) and the patterns of the configuration for them. Linear in the name. */
import { RE2JS } from 're2js'

interface Name {
  readonly kind: 'dns' | 'uri' | 'email'
  readonly text: string
}

/** Names beyond are not looked at. */
const mostNames = 64
const longestName = 2048
const kinds: Readonly<Record<string, Name['kind']>> = { DNS: 'dns', URI: 'uri', email: 'email' }
/** A run of characters of one part: of a label, of a segment, of what stands before the `@`. */
const wild: Readonly<Record<Name['kind'], string>> = { dns: '[^.]+', uri: '[^/]+', email: '[^@]+' }

/** The name of a certificate (`DNS:edge.acme.example`, as Node writes it) that one of the patterns means, without its kind. */
export type NameMatcher = (names: readonly string[]) => readonly string[]

/** Finds the names that patterns mean: all of them, each once, in the order of the certificate. */
export function compileCertificateNames(patterns: readonly string[]): NameMatcher {
  const compiled = patterns.map((pattern) => {
    const kind = kindOf(pattern)
    const parts = normal({ kind, text: pattern }).split('*')
    return { kind, regex: RE2JS.compile(parts.map((part) => RE2JS.quote(part)).join(wild[kind])) }
  })
  return (names) => {
    const read = names.slice(0, mostNames).flatMap((name) => readName(name) ?? [])
    const meant = read.filter((name) => compiled.some(({ kind, regex }) => kind === name.kind && regex.matches(normal(name))))
    return [...new Set(meant.map(normal))]
  }
}

function kindOf(pattern: string): Name['kind'] {
  if (pattern.includes('://')) return 'uri'
  return pattern.includes('@') ? 'email' : 'dns'
}

/** Undefined for what no pattern may mean: other kinds, wildcards, and texts that could be read in two ways. */
function readName(name: string): Name | undefined {
  const colon = name.indexOf(':')
  const kind = kinds[name.slice(0, colon)]
  const text = name.slice(colon + 1)
  if (kind === undefined || text.length > longestName || !/^[\x21\x23-\x29\x2b-\x5b\x5d-\x7e]+$/.test(text)) return undefined
  // SPIFFE ID, section 2: no empty segment, none of dots, nothing percent-encoded; and no query or fragment.
  if (kind === 'uri' && (!text.includes('://') || /[%?#]|\/\.{0,2}(?:\/|$)/.test(text.slice(text.indexOf('://') + 3)))) return undefined
  return { kind, text }
}

/** Hosts and schemes do not differ by case; everything else does. */
function normal({ kind, text }: Name): string {
  if (kind === 'dns') return text.toLowerCase()
  if (kind === 'email') {
    const at = text.lastIndexOf('@')
    return text.slice(0, at) + text.slice(at).toLowerCase()
  }
  const end = text.indexOf('/', text.indexOf('://') + 3)
  return end === -1 ? text.toLowerCase() : text.slice(0, end).toLowerCase() + text.slice(end)
}
