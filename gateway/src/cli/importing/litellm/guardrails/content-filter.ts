/** `litellm_content_filter`: patterns, words, and well-known kinds of data, which the gateway finds by itself. */
import { RE2JS } from 're2js'
import type { Foreign } from '../../gateways/foreign-value.ts'
import { takeFound, type FoundInTexts, type FoundKind, type FoundMode } from '../../gateways/found-in-texts.ts'
import type { DeploymentContext } from '../deployment.ts'
import type { Guardrail, GuardrailKind } from './guardrail.ts'

const tags = 'what was found is written as `[removed]`, or as a placeholder'
const words = 'what harmful words are is for a guard of `kind: moderation`, `azure-content-safety` or `topics`'

export const contentFilter: GuardrailKind = {
  take,
  left: {
    patterns: 'a pattern has no name here, and other kinds of data take a guard of `kind: patterns`',
    blocked_words: 'a word has no description here',
    blocked_words_file: 'write its words under `deny` of a guard of `kind: patterns`',
    categories: words,
    severity_threshold: words,
    pattern_redaction_format: tags,
    keyword_redaction_tag: tags,
  },
}

/** Kinds of data that it has patterns for. */
const prebuilt: Readonly<Record<string, readonly [finds: FoundKind, why?: string]>> = {
  us_ssn: [{ pii: 'national_id', countries: ['us'] }],
  email: [{ pii: 'email' }],
  phone: [{ pii: 'phone' }],
  us_phone: [{ pii: 'phone' }],
  credit_card: [{ pii: 'card' }],
  visa: [{ pii: 'card' }, 'cards of every maker are found'],
  mastercard: [{ pii: 'card' }, 'cards of every maker are found'],
  amex: [{ pii: 'card' }, 'cards of every maker are found'],
  discover: [{ pii: 'card' }, 'cards of every maker are found'],
  iban: [{ pii: 'iban' }],
  aws_access_key: [{ secrets: ['aws-access-key'] }],
  github_token: [{ secrets: ['github-token'] }],
  slack_token: [{ secrets: ['slack-token'] }],
}

const actions: Readonly<Record<string, FoundMode>> = { BLOCK: 'block', MASK: 'redact' }
const anywhere = 'it is found anywhere, within other words as well'

function take(guardrail: Guardrail, context: DeploymentContext): readonly string[] {
  const found = [
    ...(guardrail.get('patterns')?.items() ?? []).flatMap(patternOf),
    ...(guardrail.get('blocked_words')?.items() ?? []).flatMap(wordOf),
  ]
  if (found.length === 0) guardrail.left('it looks for nothing that is found here')
  return takeFound(guardrail.name, found, (kind) => guardrail.entry(kind), context)
}

function patternOf(item: Foreign): FoundInTexts[] {
  const [named, own] = [item.get('pattern_name'), item.get('pattern')]
  const action = actionOf(item)
  if (own !== undefined) return [{ from: own, finds: { pattern: own.text() ?? '' }, ...action }]
  const name = named?.text() ?? ''
  const [finds, why] = Object.hasOwn(prebuilt, name) ? (prebuilt[name] ?? []) : []
  if (named === undefined || finds === undefined) return []
  item.get('pattern_type')?.left('what is found says it')
  return [{ from: named, finds: [finds], why, ...action }]
}

function wordOf(item: Foreign): FoundInTexts[] {
  const from = item.get('keyword')
  const word = from?.text()
  if (from === undefined || word === undefined || word === '') return []
  return [{ from, finds: { pattern: `(?i)${RE2JS.quote(word)}` }, why: anywhere, ...actionOf(item) }]
}

function actionOf(item: Foreign): Pick<FoundInTexts, 'mode' | 'action'> {
  const action = item.get('action')
  const mode = actions[action?.text()?.toUpperCase() ?? '']
  return mode === undefined ? { mode: 'block' } : { mode, action }
}
