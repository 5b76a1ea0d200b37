/** Named lists of values (`values:`): what an argument may be although nothing of the conversation vouches for it. */
import type { Config } from '@turnward/contract/config'
import type { PolicyProblem } from '../problem.ts'
import { normaliseReader } from '../readers.ts'
import { normalValue } from './normal-text.ts'
import { soughtValue } from './sought-value.ts'
import { canonicalUrl } from './urls.ts'

export interface NamedValues {
  readonly name: string
  readonly has: (value: string) => boolean
  /** Entries that may be named to a model as values of an argument: not those that stand for many. */
  readonly entries: readonly string[]
}

type Lists = Config['values']
type Kind = Exclude<Lists[string], readonly string[]>['kind']

/** Compiles `values:`. Paths of problems start with `values`. */
export function compileNamedValues(lists: Lists): {
  readonly lists: ReadonlyMap<string, NamedValues>
  readonly problems: readonly PolicyProblem[]
} {
  const problems: PolicyProblem[] = []
  const compiled = Object.entries(lists).map(([name, list]): [string, NamedValues] => {
    const kind = 'kind' in list ? list.kind : undefined
    const values = 'kind' in list ? list.values : list
    const at = (index: number) => ['values', name, ...('kind' in list ? ['values'] : []), index]
    const problem = (index: number, message: string) => problems.push({ path: at(index), message })
    for (const [index, value] of values.entries()) {
      if (normalValue(value) === undefined)
        problem(index, 'this value has characters that nobody sees, or that read as others: write it plainly')
    }
    if (kind === 'domain') return [name, { name, has: domains(values, problem), entries: [] }]
    if (kind === 'url') return [name, { name, has: addresses(values, problem), entries: [] }]
    checkKind(kind, values, problem)
    const known = new Set(values.map((value) => soughtValue(value).canonical))
    return [name, { name, has: (value) => known.has(soughtValue(value).canonical), entries: values }]
  })
  return { lists: new Map(compiled), problems }
}

const forms: Partial<Record<Kind, readonly string[]>> = { email: ['email'], iban: ['compact'], phone: ['compact', 'number'] }

function checkKind(kind: Kind | undefined, values: readonly string[], problem: (index: number, message: string) => void): void {
  const wanted = kind === undefined ? undefined : forms[kind]
  if (wanted === undefined) return
  for (const [index, value] of values.entries()) {
    if (!wanted.includes(soughtValue(value).form)) problem(index, `\`${value}\` is not one of kind \`${kind}\``)
  }
}

/** The domain itself, addresses of mail in it and of the web on it; with `*.` in front, those of what is below it. */
function domains(values: readonly string[], problem: (index: number, message: string) => void): NamedValues['has'] {
  const exact = new Set<string>()
  const below: string[] = []
  for (const [index, value] of values.entries()) {
    const domain = normaliseReader(value.replace(/^\*\./, ''))
    if (domain === undefined || !domain.includes('.') || domain.includes('@')) problem(index, `\`${value}\` is not a domain`)
    else if (value.startsWith('*.')) below.push(`.${domain}`)
    else exact.add(domain)
  }
  return (value) => {
    const host = hostOf(value)
    return host !== undefined && (exact.has(host) || below.some((end) => host.endsWith(end)))
  }
}

function hostOf(value: string): string | undefined {
  const url = canonicalUrl(value)
  if (url !== undefined) return hasUserinfo(url.href) ? undefined : new URL(url.href).hostname
  const reader = normaliseReader(value)
  if (reader === undefined || !reader.includes('.')) return undefined
  return reader.slice(reader.lastIndexOf('@') + 1)
}

/** What is below an address: the same host, and a path that goes on from it at a `/`. */
function addresses(values: readonly string[], problem: (index: number, message: string) => void): NamedValues['has'] {
  const known = values.flatMap((value, index) => {
    const url = canonicalUrl(value)
    if (url !== undefined && !hasUserinfo(url.href) && !/[?#]/.test(url.href)) return [url.href]
    problem(index, `\`${value}\` is not an absolute address without user, query and fragment`)
    return []
  })
  return (value) => {
    const url = canonicalUrl(value)
    // An encoded slash or dot may be taken for a plain one where it arrives.
    if (url === undefined || hasUserinfo(url.href) || /%(?:2f|5c|2e|25)/i.test(url.href)) return false
    return known.some(
      (start) => url.href === start || (url.href.startsWith(start) && (start.endsWith('/') || /[/?#]/.test(url.href.charAt(start.length)))),
    )
  }
}

function hasUserinfo(href: string): boolean {
  const { username, password } = new URL(href)
  return username !== '' || password !== ''
}
