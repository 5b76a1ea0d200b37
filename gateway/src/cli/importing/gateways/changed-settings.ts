/** What another gateway writes into requests, or takes out of them, as transforms. Theirs is the form of Chat Completions. */
import { problemsOfPlace } from '../../../config/transforms.ts'
import type { Draft } from './draft.ts'
import { DraftEntry } from './draft-entry.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'
import { listNames } from './listed-names.ts'
import type { RoutePart } from './route-part.ts'

const dialects = ['chat-completions'] as const
const ofOneDialect = 'it is for callers of Chat Completions: others have other `dialects`, and other places'

/** A change, where it may be made; what it comes from is spoken of where it may not. */
export interface SettingChange {
  readonly op: 'add' | 'replace' | 'remove' | 'move'
  readonly field: string
  readonly from: Foreign
  /** Of `move`: where it was. */
  readonly before?: string
  readonly value?: unknown
  readonly when?: string
  /** What is different about it besides. */
  readonly why?: string | undefined
}

/** A transform with these changes. Its name, as none where nothing is left of them. */
export function addTransform(wanted: string, changes: readonly SettingChange[], draft: Draft): readonly string[] {
  const entry = new DraftEntry().set('dialects', [...dialects])
  const [when] = changes.flatMap((change) => change.when ?? [])
  if (when !== undefined) entry.set('when', when)
  const patch: object[] = []
  for (const { op, field, from, before, value, why } of changes) {
    const problem = [field, before].flatMap((name) =>
      name === undefined ? [] : problemsOfPlace(`/${name}`, op, { dialects, on: 'request' }),
    )
    if (problem[0] !== undefined) {
      from.left(problem[0])
      continue
    }
    const place = { path: `/${field}`, ...(before === undefined ? {} : { from: `/${before}` }), ...(value === undefined ? {} : { value }) }
    entry.from(from, `patch[${patch.push({ op, ...place }) - 1}]`, why === undefined ? ofOneDialect : `${why}; ${ofOneDialect}`)
  }
  if (patch.length === 0) return []
  const name = draft.add('transforms', wanted, entry.set('patch', patch))
  return name === undefined ? [] : [name]
}

const name = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

/** Whether a field of a body can be spoken of, also in conditions. */
export function isField(text: string | undefined): text is string {
  return text !== undefined && name.test(text)
}

type IsTaken = (key: string, from: Foreign) => boolean

/**
 * Settings that stand over what clients say, of the only model of a route. `taken`: which they are. Undefined where there are none.
 */
export function settledOptions(
  options: Foreign | undefined,
  owner: string,
  taken: IsTaken,
  { draft, texts }: { readonly draft: Draft; readonly texts: ForeignTexts },
): RoutePart | undefined {
  const changes = (options?.entries() ?? []).flatMap(([key, from]): SettingChange[] => {
    if (!taken(key, from) || !isField(key)) return []
    const [value, text] = [from.number() ?? from.flag(), from.text()]
    if (value !== undefined) return [{ op: 'add', field: key, from, value }]
    const written = text === undefined ? undefined : texts.words(text, owner, `${owner}_${key}`)
    if (written !== undefined) return [{ op: 'add', field: key, from, value: written.text, why: written.why }]
    from.left('it is a list or a map: write a transform')
    return []
  })
  const names = changes.length === 0 ? [] : addTransform(`${owner}-options`, changes, draft)
  return names.length === 0 ? undefined : listNames('transforms', names)
}

/** Why what is written for one of several models alone is not taken over. */
export const askedTheSame = 'all models of a route are asked the same'

/** Speaks of settings that have no place here. */
export function leaveOptions(options: Foreign | undefined, taken: IsTaken, why: string): void {
  for (const [key, from] of options?.entries() ?? []) if (taken(key, from)) from.left(why)
}
