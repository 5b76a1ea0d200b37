/**
 * Takes the life out of links in text that comes in pieces: what a client would turn into a request (a link, an image, an HTML
 * attribute) to a host nobody allowed is written so that it is none, and can still be read. It looks for addresses, not for Markdown:
 * whatever construct an address stands in, without the address it asks nobody. Only an address that is not whole yet is held back.
 */

/** What is at one place: nothing, something that the next piece decides, or an address and what is written for its first characters. */
type Found = { readonly length: number; readonly text: string } | { readonly passes: number } | 'nothing' | 'undecided'

export interface LinkRail {
  /** What can be said after these words. */
  step(words: string): string
  /** What was held back, decided as it stands. */
  finish(): string
  /** Whether something is held back. */
  readonly isHolding: boolean
  /** How many addresses were neutralised so far. */
  readonly count: number
}

/** What is remembered of what was said: the name of a scheme, with what may stand between its letters. */
const contextLength = 64
/** A host is not longer (RFC 1035, section 2.3.4). */
const longestHost = 255

export function createLinkRail(isAllowed: (host: string) => boolean): LinkRail {
  let before = ''
  let held = ''
  let count = 0
  /** What was said last is the host of an address that nobody knew to go on. */
  let endsInHost = false
  const take = (words: string, isEnd: boolean): string => {
    let said = ''
    // Whatever goes on from an allowed host would make another one of it.
    if (endsInHost && words !== '') {
      if (/^[^\s/?#]/.test(words)) said = ' '
      endsInHost = false
    }
    const text = before + held + words
    let at = before.length
    held = ''
    for (;;) {
      triggers.lastIndex = at
      const next = triggers.exec(text)?.index ?? text.length
      said += text.slice(at, next)
      at = next
      if (at >= text.length) break
      const found = look(text, at, isAllowed, isEnd)
      if (found === 'undecided' && !isEnd) {
        held = text.slice(at)
        break
      }
      if (found === 'nothing' || found === 'undecided') {
        said += text.charAt(at)
        at += 1
      } else if ('passes' in found) {
        said += text.slice(at, at + found.passes)
        at += found.passes
        endsInHost = isEnd && at >= text.length
      } else {
        count += 1
        said += found.text
        at += found.length
      }
    }
    before = text.slice(Math.max(0, at - contextLength), at)
    return said
  }
  return {
    step: (words) => take(words, false),
    finish: () => take('', true),
    get isHolding() {
      return held !== ''
    },
    get count() {
      return count
    },
  }
}

/** Characters at which an address shows itself; the letters before them have been said already. */
const triggers = /[:/\\.&]/g

function look(text: string, at: number, isAllowed: (host: string) => boolean, isEnd: boolean): Found {
  const before = text.slice(Math.max(0, at - contextLength), at)
  const after = text.slice(at, at + longestHost + 64)
  const isShort = !isEnd && text.length - at < longestHost
  switch (text[at]) {
    case ':':
      return schemeAt(before, after, isAllowed, isShort)
    case '.':
      return wwwAt(before, after, isAllowed, isShort)
    case '&':
      return entityAt(after, isShort)
    default:
      return twoSlashesAt(before, after, isAllowed, isShort)
  }
}

/** Schemes whose addresses need no slashes (URL Standard, "special scheme"), and those that run or carry what they show. */
const special: ReadonlySet<string> = new Set(['http', 'https', 'ftp', 'ws', 'wss'])
const running: ReadonlySet<string> = new Set(['javascript', 'vbscript'])
/** Characters that no host of an address has. */
const hostEnd = /[\s/\\?#"'<>()[\]{}|`]/

/** `https://host`, `https:\\host`, `https:host`, `custom://host`, `data:text/html,…`, `javascript:…`. */
function schemeAt(before: string, after: string, isAllowed: (host: string) => boolean, isShort: boolean): Found {
  // Within the name of a scheme an address may have tabs and line ends, and Markdown lets its colon be escaped.
  const scheme = /([a-z][a-z0-9+.-]*)\\?$/i.exec(before.replaceAll(/[\t\r\n]/g, ''))?.[1]?.toLowerCase()
  if (scheme === undefined) return 'nothing'
  const name = scheme.replace(/^.*[^a-z0-9]/, '')
  if (running.has(name)) return { length: 1, text: '[:]' }
  if (name === 'data') {
    const isData = /^:(?:[\w.+-]{0,64}\/?[\w.+-]{0,64})[;,]/.test(after)
    if (isData) return { length: 1, text: '[:]' }
    return isShort && /^:(?:[\w.+-]{0,64}\/?[\w.+-]{0,64})$/.test(after) ? 'undecided' : 'nothing'
  }
  const [start = '', slashes = ''] = /^:[\t\r\n]*([\\/]*)/.exec(after) ?? []
  const rest = after.slice(start.length)
  const end = rest.search(hostEnd)
  const host = end < 0 ? rest : rest.slice(0, end)
  if (end < 0 && isShort) return 'undecided'
  // Cut off behind its scheme, an address may go on where nobody looks for it.
  const isCut = start === after && !isShort
  const isAddress = special.has(name) ? isCut || slashes !== '' || /^[\w%[]/.test(host) : slashes.length >= 2 && name.length > 1
  if (!isAddress) return 'nothing'
  // What stands right behind a host may change what it is for some who read it.
  const isPlain = special.has(name) && rest[host.length] !== '\\' && isAllowedHost(host, isAllowed)
  return isPlain && start === ':' + slashes && slashes === '//' ? { passes: start.length + host.length } : { length: 1, text: '[:]' }
}

/** `www.host`, which many clients link. */
function wwwAt(before: string, after: string, isAllowed: (host: string) => boolean, isShort: boolean): Found {
  if (!/(?:^|[^\w.\-/@:])www$/i.test(before)) return 'nothing'
  const end = after.search(hostEnd)
  if (end < 0 && isShort) return 'undecided'
  const host = end < 0 ? after : after.slice(0, end)
  if (!/^\.[\p{L}\p{N}]/u.test(host)) return 'nothing'
  return isAllowedHost(`www${host}`, isAllowed) ? { passes: host.length } : { length: 1, text: '[.]' }
}

/** `//host` where an address may stand: in a link, an image, an attribute, a reference. */
function twoSlashesAt(before: string, after: string, isAllowed: (host: string) => boolean, isShort: boolean): Found {
  if (!/[("'=<]\s*$|\]:\s*$/.test(before)) return 'nothing'
  if (after.length < 2 && isShort) return 'undecided'
  if (!/^[\\/]{2}/.test(after)) return 'nothing'
  const rest = after.replace(/^[\\/]+/, '')
  const end = rest.search(hostEnd)
  if (end < 0 && isShort) return 'undecided'
  const host = end < 0 ? rest : rest.slice(0, end)
  if (host === '') return 'nothing'
  const length = after.length - rest.length
  return length === 2 && after.startsWith('//') && isAllowedHost(host, isAllowed)
    ? { passes: length + host.length }
    : { length, text: `[${after.slice(0, length)}]` }
}

const namedEntities: ReadonlySet<string> = new Set([
  'colon',
  'sol',
  'bsol',
  'period',
  'tab',
  'newline',
  'num',
  'quest',
  'equals',
  'lpar',
  'rpar',
])

/** A character of an address that is written as an entity, as Markdown and HTML read it. */
function entityAt(after: string, isShort: boolean): Found {
  if (isShort && /^&(?:#?|#x?[0-9a-f]{0,8}|[a-z]{0,8})$/i.test(after)) return 'undecided'
  const [, hex, decimal, name] = /^&(?:#x([0-9a-f]{1,8})|#([0-9]{1,8})|([a-z]{2,8});)/i.exec(after) ?? []
  const code = hex !== undefined ? Number.parseInt(hex, 16) : decimal !== undefined ? Number(decimal) : undefined
  // Quotes and brackets are what entities are for.
  const isHiding = code !== undefined ? code < 127 && ![34, 38, 39, 60, 62].includes(code) : namedEntities.has((name ?? '').toLowerCase())
  return isHiding ? { length: 1, text: '&amp;' } : 'nothing'
}

function isAllowedHost(written: string, isAllowed: (host: string) => boolean): boolean {
  const host = written
    .toLowerCase()
    .replace(/[.,;:!?*_~]+$/, '')
    .replace(/:\d{1,5}$/, '')
  return /^[a-z0-9.-]+$/.test(host) && isAllowed(host)
}
