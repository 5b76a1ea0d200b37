/**
 * Arguments as a person is shown them before they rule: canonical, whole, one line a value, with everything made visible that a
 * reader would not see or would take for something else. Pure.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

/** Something in the arguments that reads as what it is not. */
export interface Mark {
  /** Where it stands: `to`, `items[2].name`. */
  readonly path: string
  readonly kind: 'invisible' | 'mixed_scripts' | 'look_alike'
  readonly detail: string
}

const mostMarks = 200

/** Nothing is to be seen of these, or they turn what stands around them: controls, formats, odd spaces, fillers, selectors. */
const unseen = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu
/** Those of JSON that are written as escapes anyway. */
const plainControls = /[\n\r\t]/g
const domains = /[\p{L}\p{N}\p{M}_-]+(?:[.\u3002\uFF0E\uFF61][\p{L}\p{N}\p{M}_-]+)+/gu
const scripts = {
  Latin: /\p{Script=Latin}/u,
  Cyrillic: /\p{Script=Cyrillic}/u,
  Greek: /\p{Script=Greek}/u,
  Armenian: /\p{Script=Armenian}/u,
  Cherokee: /\p{Script=Cherokee}/u,
}

/** The arguments as lines of JSON with sorted keys. Nothing is left out; what cannot be seen is written as `⟨U+200B⟩`. */
export function linesOf(args: JsonObject): readonly string[] {
  return written(args, '').split('\n')
}

/** What to look at in them. `known`: domains that are ours, which others may be made to resemble. */
export function marksIn(args: JsonObject, known: readonly string[] = []): readonly Mark[] {
  const marks: Mark[] = []
  const ours = new Map(known.map((domain) => [skeleton(domain), domain]))
  const note = (mark: Mark): void => {
    if (marks.length < mostMarks) marks.push(mark)
  }
  const visit = (value: JsonValue, path: string): void => {
    if (typeof value === 'string') look(value, path, ours, note)
    else if (Array.isArray(value)) value.forEach((item, index) => visit(item, `${path}[${index}]`))
    else if (isObject(value))
      for (const key of Object.keys(value).sort()) {
        const at = path === '' ? visible(key) : `${path}.${visible(key)}`
        look(key, `${at} (its name)`, ours, note)
        visit(value[key] ?? null, at)
      }
  }
  visit(args, '')
  return marks
}

function look(text: string, path: string, ours: ReadonlyMap<string, string>, note: (mark: Mark) => void): void {
  const hidden = text.replaceAll(plainControls, '').match(unseen) ?? []
  if (hidden.length > 0) {
    const names = [...new Set(hidden.map(codePoint))].slice(0, 5).join(', ')
    note({ path, kind: 'invisible', detail: `${hidden.length} characters that cannot be seen (${names})` })
  }
  for (const [word] of text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    const used = scriptsOf(word)
    if (used.length > 1)
      note({ path, kind: 'mixed_scripts', detail: `“${visible(word.slice(0, 60))}” mixes ${used.join(' and ')} letters` })
  }
  for (const [domain] of text.matchAll(domains)) {
    const ascii = URL.parse(`http://${domain.toLowerCase()}`)?.hostname
    if (ascii?.includes('xn--') === true)
      note({ path, kind: 'look_alike', detail: `“${visible(domain.slice(0, 100))}” is the domain ${ascii.slice(0, 253)}` })
    const own = ours.get(skeleton(domain))
    if (own !== undefined && own !== domain.toLowerCase())
      note({ path, kind: 'look_alike', detail: `“${visible(domain.slice(0, 100))}” looks like ${own} and is another domain` })
  }
}

/** Which of the scripts whose letters are taken for each other a word has. */
export function scriptsOf(word: string): readonly string[] {
  return Object.entries(scripts).flatMap(([name, script]) => (script.test(word) ? [name] : []))
}

/** Letters of other scripts, and digits, that read as a Latin letter. */
const alike: Readonly<Record<string, string>> = {
  а: 'a', е: 'e', о: 'o', р: 'p', с: 'c', у: 'y', х: 'x', і: 'i', ј: 'j', ѕ: 's', ԁ: 'd', ԛ: 'q', ԝ: 'w', һ: 'h', к: 'k', м: 'm', т: 't', в: 'b', н: 'h', г: 'r',
  α: 'a', ο: 'o', ρ: 'p', ν: 'v', τ: 't', ι: 'i', κ: 'k', υ: 'u', ε: 'e', χ: 'x', γ: 'y', η: 'n',
  '0': 'o', '1': 'l', i: 'l', '|': 'l', '5': 's', ı: 'l', ɡ: 'g', ʟ: 'l',
} // prettier-ignore

/** What a domain looks like at a glance: equal for two that a reader would confuse. */
function skeleton(domain: string): string {
  const folded = domain
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[\u3002\uFF0E\uFF61]/g, '.')
  let text = ''
  for (const letter of folded) text += alike[letter] ?? letter
  return text.replaceAll('rn', 'm').replaceAll('vv', 'w').replaceAll('cl', 'd')
}

function written(value: JsonValue, indent: string): string {
  const inner = `${indent}  `
  if (Array.isArray(value))
    return value.length === 0 ? '[]' : `[\n${value.map((item) => `${inner}${written(item, inner)}`).join(',\n')}\n${indent}]`
  if (!isObject(value)) return typeof value === 'string' ? quoted(value) : String(JSON.stringify(value))
  const keys = Object.keys(value).sort()
  if (keys.length === 0) return '{}'
  return `{\n${keys.map((key) => `${inner}${quoted(key)}: ${written(value[key] ?? null, inner)}`).join(',\n')}\n${indent}}`
}

function quoted(text: string): string {
  return visible(JSON.stringify(text))
}

/** The text with what cannot be seen written out. */
export function visible(text: string): string {
  return text.replaceAll(unseen, (character) => `⟨${codePoint(character)}⟩`)
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
