/**
 * Things of a forge that a tool wants in several arguments and people write as one: a repository (`acme/shop`, an address of it)
 * and an issue of it (`acme/shop#5`, `acme/shop!5`, the address of the issue, or its number elsewhere in a text with the
 * repository). Owner and name are found together only, so that no stranger can put the owner of one repository before the name of another.
 */
import type { JsonValue } from '../../core/json.ts'
import { isWhole, reaches } from './boundaries.ts'
import { normalValue } from './normal-text.ts'
import { type SoughtValue, soughtValue } from './sought-value.ts'

/** Places of a repository in one text that are looked at. */
const mostPlaces = 1000
const longestHost = 300
/** What stands before the path in an address. */
const host = /(?:^|[^\p{L}\p{N}_.@/\\-])(?:https?:\/\/|(?:ssh:\/\/)?git@)?(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}(?::\d{1,5})?[/:]$/u
const issuePath = /^\/(?:-\/)?(?:issues|pull|pulls|merge_requests|discussions|work_items)\/(\d{1,15})(?!\d)/
const part = /^[^/#!?\s%]+$/
const wholePath = /^[^#!?\s]+$/

/** The text that stands for arguments that name one thing; undefined when they are not all there, or are no parts of a path. */
export function referenceText(
  parts: readonly (JsonValue | undefined)[],
  number: JsonValue | undefined,
): { readonly reference: string; readonly isNumbered: boolean } | undefined {
  const texts = parts.map((one) => (typeof one === 'string' ? one.replace(/%2f/gi, '/') : ''))
  const form = texts.length === 1 ? wholePath : part
  if (!texts.every((text) => form.test(text))) return undefined
  const isNumbered = (typeof number === 'number' && Number.isInteger(number)) || (typeof number === 'string' && /^\d{1,15}$/.test(number))
  return { reference: `${texts.join('/')}${isNumbered ? `#${number}` : ''}`, isNumbered }
}

/** The repository of a reference, without the number. */
export function repositoryOf(reference: string): string {
  return reference.replace(/#\d+$/, '')
}

/** A reference that is looked for in texts. */
export function soughtReference(reference: string): SoughtValue {
  const plain = soughtValue(reference)
  const repository = repositoryOf(reference)
  const path = normalValue(repository)
  if (path === undefined || path === '') return plain
  const digits = reference === repository ? undefined : reference.slice(repository.length + 1)
  const number = digits === undefined ? undefined : soughtValue(digits)
  const parts = [...path.split('/').map((one) => soughtValue(one)), ...(number === undefined ? [] : [number])]
  return {
    form: 'text',
    canonical: plain.canonical,
    isIn(text) {
      let found = false
      for (const after of placesOf(text.folded, path)) {
        if (digits === undefined || numberAfter(after) === digits) return true
        found = true
      }
      return found && number?.isIn(text) === true
    },
    isSaidBackFrom: (text) => parts.every((one) => one.isIn(text)),
  }
}

/** What comes behind each place where a text has the path of the repository. */
function* placesOf(text: string, path: string): Generator<string> {
  let places = 0
  for (let at = text.indexOf(path); at !== -1 && places < mostPlaces; at = text.indexOf(path, at + 1)) {
    places += 1
    const end = at + path.length
    const after = text.slice(end, end + 64)
    const isAddress = host.test(text.slice(Math.max(0, at - longestHost), at))
    if (!isAddress && reaches(text, at, -1, '')) continue
    if (
      isWhole(text, at, end) ||
      /^[#!]\d/.test(after) ||
      (isAddress && (!reaches(text, end, 1, '') || /^(?:[/?#]|\.git(?![\w.-]))/.test(after)))
    )
      yield after
  }
}

function numberAfter(after: string): string | undefined {
  return /^[#!](\d{1,15})(?!\d)/.exec(after)?.[1] ?? issuePath.exec(after)?.[1]
}
