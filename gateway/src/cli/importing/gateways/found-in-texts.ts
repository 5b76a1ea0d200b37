/** What another gateway finds in texts by itself (personal data, keys, patterns) as guards that look for the same here. */
import type { idCountries, piiKinds, secretFormats } from '@turnward/contract/config/guards'
import type { Draft } from './draft.ts'
import type { DraftEntry } from './draft-entry.ts'
import { patternOf } from './foreign-pattern.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'

export type FoundKind =
  | { readonly pii: (typeof piiKinds)[number]; readonly countries?: readonly (typeof idCountries)[number][] }
  | { readonly secrets: 'all' | readonly (typeof secretFormats)[number][] }

export type FoundMode = 'block' | 'redact' | 'warn'

export interface FoundInTexts {
  /** What says it. */
  readonly from: Foreign
  readonly mode: FoundMode
  /** What says the mode of this one alone. */
  readonly action?: Foreign | undefined
  readonly finds: readonly FoundKind[] | { readonly pattern: string }
  /** What is different about it. */
  readonly why?: string | undefined
}

const kinds = ['pii', 'secrets', 'patterns'] as const
export type GuardKind = (typeof kinds)[number]

/** The names of the guards: one for each kind and mode. `make`: makes one, with what holds for all of them. */
export function takeFound(
  wanted: string,
  found: readonly FoundInTexts[],
  make: (kind: GuardKind, mode: FoundMode) => DraftEntry,
  { draft, texts }: { readonly draft: Draft; readonly texts: ForeignTexts },
): readonly string[] {
  const names: string[] = []
  for (const kind of kinds)
    for (const [mode, group] of Map.groupBy(
      found.filter((one) => isOf(kind, one)),
      (one) => one.mode,
    )) {
      const entry = make(kind, mode).set('mode', mode)
      if (!setters[kind](entry, group, `${wanted}-${kind}`, texts)) continue
      const name = draft.add('guards', `${wanted}-${kind}`, entry)
      if (name !== undefined) names.push(name)
    }
  return names
}

function isOf(kind: GuardKind, { finds }: FoundInTexts): boolean {
  return 'pattern' in finds ? kind === 'patterns' : finds.some((one) => kind in one)
}

/** Each is false where nothing is left to look for. */
const setters: Readonly<
  Record<GuardKind, (entry: DraftEntry, found: readonly FoundInTexts[], owner: string, texts: ForeignTexts) => boolean>
> = {
  pii(entry, found) {
    const [find, countries] = [new Set<string>(), new Set<string>()]
    for (const { from, action, finds, why } of found) {
      if ('pattern' in finds) continue
      if (action !== undefined) entry.from(action, 'mode')
      for (const one of finds) {
        if (!('pii' in one)) continue
        find.add(one.pii)
        for (const country of one.countries ?? []) countries.add(country)
        entry.from(from, `find[${[...find].indexOf(one.pii)}]`, why)
      }
    }
    entry.set('find', [...find])
    if (countries.size > 0) entry.set('countries', [...countries])
    return true
  },
  secrets(entry, found) {
    const formats = new Set<string>()
    let isAll = false
    for (const { from, action, finds, why } of found) {
      if ('pattern' in finds) continue
      if (action !== undefined) entry.from(action, 'mode')
      for (const one of finds) {
        if (!('secrets' in one)) continue
        isAll ||= one.secrets === 'all'
        if (one.secrets !== 'all') for (const format of one.secrets) formats.add(format)
        entry.from(from, 'kind', why)
      }
    }
    if (!isAll) entry.set('formats', [...formats])
    return true
  },
  patterns(entry, found, owner, texts) {
    const deny: string[] = []
    for (const { from, action, finds, why } of found) {
      const pattern = 'pattern' in finds ? patternOf(from, owner, texts, finds.pattern) : undefined
      if (pattern === undefined) continue
      if (action !== undefined) entry.from(action, 'mode')
      for (const different of [pattern.why, why]) entry.from(from, `deny[${deny.length}]`, different)
      deny.push(pattern.text)
    }
    entry.set('deny', deny)
    return deny.length > 0
  },
}
