/** `ai-sanitizer`: personal data and keys, which the gateway finds by itself. */
import { DraftEntry } from '../../gateways/draft-entry.ts'
import { setSide } from '../../gateways/guard-settings.ts'
import { takeFound, type FoundInTexts, type FoundKind, type FoundMode } from '../../gateways/found-in-texts.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'
import { sides } from './asking-guard.ts'
import { guardPart } from './guard-part.ts'

type Words = readonly [finds: readonly FoundKind[], why?: string]

const keys: FoundKind = { secrets: 'all' }
const ssn: FoundKind = { pii: 'national_id', countries: ['us'] }
const ids: FoundKind = { pii: 'national_id', countries: ['us', 'in', 'pl'] }
const ofCountries = 'add the countries whose numbers are to be found to `countries`'
const people: readonly FoundKind[] = [{ pii: 'email' }, { pii: 'phone' }, { pii: 'iban' }, { pii: 'card' }, ids]
const byLook =
  'names, places and the like take a service that knows languages: `kind: presidio`; and say for which `countries` ids are looked for'

/** What is anonymised there, as what is found here. */
const words: Readonly<Record<string, Words>> = {
  email: [[{ pii: 'email' }]],
  phone: [[{ pii: 'phone' }]],
  creditcard: [[{ pii: 'card' }]],
  bank: [[{ pii: 'iban' }], 'accounts are found by their IBAN'],
  ssn: [[ssn], ofCountries],
  nationalid: [[ids], ofCountries],
  credentials: [[keys]],
  all: [people, byLook],
  all_and_credentials: [[...people, keys], byLook],
}

export function sanitize(plugin: KongPlugin, owner: string, making: KongMaking): RoutePart | undefined {
  const { get, whole } = plugin
  const [blocks, restores] = [get('block_if_detected'), get('recover_redacted')]
  const mode: FoundMode = blocks?.flag() === true ? 'block' : 'redact'
  return guardPart(plugin, making, () =>
    takeFound(
      owner,
      found(plugin, mode),
      (kind) => {
        const entry = new DraftEntry().set('kind', kind).from(whole.get('name') ?? whole, 'kind')
        setSide(entry, get('sanitization_mode'), sides, 'input')
        if (blocks?.flag() !== undefined) entry.from(blocks, 'mode')
        if (kind === 'pii' && mode === 'redact' && restores?.flag() !== undefined) entry.set('restore', restores.flag(), restores)
        return entry
      },
      making,
    ),
  )
}

function found({ get, whole }: KongPlugin, mode: FoundMode): readonly FoundInTexts[] {
  const said = get('anonymize')
  const usual = { from: whole.get('name') ?? whole, text: 'all_and_credentials' }
  const listed = said === undefined ? [usual] : said.items().map((from) => ({ from, text: from.text() ?? '' }))
  const hasPatterns = listed.some(({ text }) => text === 'custom' || text.startsWith('all'))
  return [
    ...listed.flatMap(({ from, text }): FoundInTexts[] => {
      const [finds, why] = Object.hasOwn(words, text) ? (words[text] ?? []) : []
      if (text === 'custom') from.left('the patterns say what')
      return finds === undefined ? [] : [{ from, mode, finds, why }]
    }),
    ...(get('custom_patterns')?.items() ?? []).flatMap((item): FoundInTexts[] => {
      const from = item.get('regex')
      if (!hasPatterns) item.left('they are not among what is anonymised')
      return from === undefined || !hasPatterns ? [] : [{ from, mode, finds: { pattern: from.text() ?? '' } }]
    }),
  ]
}

const byItself = 'the gateway finds it by itself, and asks no service'

export const leftOfSanitizer: Readonly<Record<string, string>> = {
  anonymize: 'it takes a service that knows languages: write a guard of `kind: presidio`',
  custom_patterns: 'a pattern has no name and no score here',
  host: byItself,
  port: byItself,
  scheme: byItself,
  timeout: byItself,
  keepalive_timeout: byItself,
  stop_on_error: byItself,
  recover_redacted: 'what was found stands in no answer again',
  redact_type: 'what was found is written as a placeholder',
}
