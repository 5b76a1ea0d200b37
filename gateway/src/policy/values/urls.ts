/** Addresses of the web: their canonical form, and whether a text has one and not only the beginning of a longer one. */
import type { NormalText } from './normal-text.ts'

export interface CanonicalUrl {
  readonly href: string
  readonly host: string
  /** `https:`, `http:`, … */
  readonly scheme: string
}

const longestUrl = 4096
const absolute = /^[a-z][a-z0-9+.-]{0,31}:\/\/[^\s"'<>`\\^{}|]+$/i
const scheme = /[a-z][a-z0-9+.-]*:\/\//i
/** What ends an address in a text. */
const outside = /[\s"<>()[\]{}|`\0]/
/** What ends a sentence after an address. */
const trailing = /[.,;:!?*_']+$/
const unreserved = /%(?:2[de]|3\d|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/gi

/** Undefined for what is not one absolute address. Scheme and host in lower case, dots resolved, no default port, nothing encoded that need not be. */
export function canonicalUrl(text: string): CanonicalUrl | undefined {
  if (text.length > longestUrl || !absolute.test(text)) return undefined
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return undefined
  }
  if (url.host === '') return undefined
  const href = url.href.replace(unreserved, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))
  return { href, host: url.host, scheme: url.protocol }
}

/** Whether a text has this address. Without a scheme in the text, it is one of the web. */
export function hasUrl({ plain, folded }: NormalText, url: CanonicalUrl): boolean {
  // Where lower case has other lengths, places in one are not places in the other.
  const searched = folded.length === plain.length ? folded : plain
  for (let at = searched.indexOf(url.host); at !== -1;) {
    const [start, end] = chunkAround(plain, at)
    if (end - start <= longestUrl && candidates(plain.slice(start, end), url.scheme).some((one) => canonicalUrl(one)?.href === url.href))
      return true
    // A chunk is one address or none: it is looked at once.
    at = searched.indexOf(url.host, end)
  }
  return false
}

/** Where what stands around a place without a space begins and ends. */
function chunkAround(text: string, at: number): readonly [number, number] {
  let [start, end] = [at, at + 1]
  while (start > 0 && !outside.test(text.charAt(start - 1))) start -= 1
  while (end < text.length && !outside.test(text.charAt(end))) end += 1
  return [start, end]
}

/** The address a chunk is, with and without what may end a sentence. Of one address within another, only the outer one is there. */
function candidates(chunk: string, wanted: string): readonly string[] {
  const found = scheme.exec(chunk)
  if (found === null && wanted !== 'https:' && wanted !== 'http:') return []
  const address = found === null ? `${wanted}//${chunk.replace(/^[*_']+/, '')}` : chunk.slice(found.index)
  const bare = address.replace(trailing, '')
  return bare === address ? [address] : [bare, address]
}
