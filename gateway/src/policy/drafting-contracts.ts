/**
 * Drafts a contract for a tool nobody described, from its name, its arguments and what its server says of it: a
 * starting point for an administrator to read, never applied by itself. Deterministic, and cautious where it guesses.
 */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { argumentsStayInside, changingWords, namesReading, readingVerbs, sendingWords, wordsOf } from './tool-words.ts'

/** What is known of the tool. */
export interface DraftSubject {
  /** As contracts name it: `server__tool`. */
  readonly name: string
  /** As its server calls it. */
  readonly originalName: string
  /** Undefined when the server could not be asked: its name is all there is. */
  readonly definition: JsonObject | undefined
  /** The server runs here and may reach no network, so what it is told stays here. */
  readonly staysHere: boolean
}

export type DraftKind = 'reads' | 'reads outside' | 'changes' | 'sends' | 'unclear'

/** A contract as it is written under `contracts:`. */
export interface DraftContract {
  readonly output: { readonly trust: string; readonly audience: readonly string[] }
  readonly effects?: readonly string[]
  readonly requires?: { readonly trust?: string; readonly audience?: { readonly includes: readonly string[] } }
}

export interface Draft {
  readonly tool: string
  readonly kind: DraftKind
  /** One line out of this engine's own words. */
  readonly why: string
  readonly contract: DraftContract
}

/**
 * Drafts a contract under these rank names, least trusted first. What name and arguments say comes first; what the server says of
 * the tool is added, and can only ask for more.
 */
export function draftContract(subject: DraftSubject, trustRanks: readonly string[]): Draft {
  const [lowest = 'untrusted', top = 'trusted'] = [trustRanks[0], trustRanks.at(-1)]
  const base = byName(subject, top)
  const { kind, why, needs } = tightened(subject, base, top)
  return { tool: subject.name, kind, why, contract: { output: { trust: lowest, audience: ['$principal'] }, ...needs } }
}

interface Guess {
  readonly kind: DraftKind
  readonly why: string
  readonly needs: Omit<DraftContract, 'output'>
}

function byName({ originalName, definition, staysHere }: DraftSubject, top: string): Guess {
  const { kind, why } = classify(originalName, definition)
  switch (kind) {
    case 'reads':
      return { kind, why, needs: {} }
    case 'reads outside':
      return { kind, why, needs: { effects: ['egress'], requires: { trust: top } } }
    case 'changes':
      if (staysHere)
        return { kind, why: `${why}; its server reaches no network, so nothing leaves by it`, needs: { effects: ['mutation'] } }
      return { kind, why: `${why}; only while the session is trusted`, needs: { effects: ['mutation'], requires: { trust: top } } }
    case 'sends': {
      const { includes, why: who } = readersOf(definition)
      return { kind, why: `${why}; ${who}`, needs: { effects: ['egress'], requires: { trust: top, audience: { includes } } } }
    }
    case 'unclear':
      return { kind, why, needs: { effects: ['egress', 'mutation'], requires: { trust: top } } }
  }
}

/** What annotations add. That a tool only reads is taken from nobody who only says so. */
function tightened(subject: DraftSubject, { kind, why, needs }: Guess, top: string): Guess {
  const is = (hint: string, value: boolean) => annotation(subject, hint) === value
  const destroys = is('destructiveHint', true)
  const writes = destroys || is('readOnlyHint', false)
  const isOpen = is('openWorldHint', true)
  if (!writes && !isOpen) {
    if (kind === 'reads' && is('readOnlyHint', true)) return { kind, why: `its server says that it only reads, and ${why}`, needs }
    return { kind, why, needs }
  }
  const effects = new Set([...(needs.effects ?? []), ...(writes ? ['mutation'] : []), ...(isOpen ? ['egress'] : [])])
  const needsTrust = needs.requires?.trust !== undefined || isOpen || destroys || !subject.staysHere
  const said = [writes ? 'changes something' : '', isOpen ? 'reaches the open world' : ''].filter((text) => text !== '').join(' and ')
  return {
    kind: kind !== 'reads' ? kind : writes ? 'changes' : 'reads outside',
    why: `${why}; its server says that it ${said}`,
    needs: {
      effects: [...effects].sort(),
      ...(needsTrust || needs.requires !== undefined ? { requires: { ...needs.requires, ...(needsTrust ? { trust: top } : {}) } } : {}),
    },
  }
}

function classify(originalName: string, definition: JsonObject | undefined): { readonly kind: DraftKind; readonly why: string } {
  const words = wordsOf(originalName)
  const [first = ''] = words
  const schema = isObject(definition?.['inputSchema']) ? definition['inputSchema'] : undefined
  if (sendingWords.has(first)) return { kind: 'sends', why: `its name begins with \`${first}\`` }
  if (!readingVerbs.has(first)) {
    const sends = words.find((word) => sendingWords.has(word))
    if (sends !== undefined) return { kind: 'sends', why: `\`${sends}\` is in its name` }
  }
  if (changingWords.has(first)) return { kind: 'changes', why: `its name begins with \`${first}\`` }
  if (namesReading(originalName)) {
    if (schema !== undefined && !argumentsStayInside(schema))
      return { kind: 'reads outside', why: 'an argument of it can reach out or run something' }
    return { kind: 'reads', why: `its name begins with \`${first}\`` }
  }
  const changes = words.find((word) => changingWords.has(word))
  if (changes !== undefined) return { kind: 'changes', why: `\`${changes}\` is in its name` }
  return { kind: 'unclear', why: 'its name says not what it does' }
}

function annotation({ definition }: DraftSubject, hint: string): JsonValue | undefined {
  const annotations = definition?.['annotations']
  return isObject(annotations) ? annotations[hint] : undefined
}

/** Arguments that name who receives something, as plain addresses, users or groups. */
const recipientNames = new Set(['to', 'cc', 'bcc', 'recipient', 'recipients', 'email', 'emails', 'attendees', 'invitees'])

/** Who must be allowed to receive what the session has read. A recipient that may be left out cannot be required, so then it is everyone. */
function readersOf(definition: JsonObject | undefined): { readonly includes: readonly string[]; readonly why: string } {
  const schema = definition?.['inputSchema']
  const properties = isObject(schema) && isObject(schema['properties']) ? schema['properties'] : {}
  const required = isObject(schema) && Array.isArray(schema['required']) ? schema['required'] : []
  const recipients = Object.keys(properties).filter((name) => recipientNames.has(name.toLowerCase()) && holdsTexts(properties[name]))
  if (recipients.length === 0) return { includes: ['public'], why: 'no argument names who receives it, so everyone must be allowed to' }
  const optional = recipients.filter((name) => !required.includes(name))
  if (optional.length > 0)
    return { includes: ['public'], why: `\`${optional.join('`, `')}\` may be left out, so everyone must be allowed to receive it` }
  return {
    includes: recipients.map((name) => `$args.${name}`),
    why: `\`${recipients.join('`, `')}\` must be allowed to receive what was read`,
  }
}

/** A string, a list of strings, or a choice of these. */
function holdsTexts(schema: JsonValue | undefined): boolean {
  if (!isObject(schema)) return false
  const choices = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(choices)) return choices.length > 0 && choices.every(holdsTexts)
  if (schema['type'] === 'string') return true
  return schema['type'] === 'array' && isObject(schema['items']) && schema['items']['type'] === 'string'
}
