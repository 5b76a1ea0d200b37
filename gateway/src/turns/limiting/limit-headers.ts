/** How limits stand, in the headers that clients of OpenAI and of Anthropic read. */
import type { OutgoingHttpHeaders } from 'node:http'
import type { Limit } from '../../config/snapshot.ts'
import type { Standing } from '../../state/limits/limit-use.ts'
import type { DialectName } from '../../wire/dialect.ts'
import type { ScopedLimit } from './limits-of-call.ts'

export type LimitHeaderForm = 'openai' | 'anthropic'

export function headerFormOf(dialect: DialectName): LimitHeaderForm {
  return dialect === 'messages' ? 'anthropic' : 'openai'
}

/** What clients call what a limit counts. */
const spoken: Readonly<Partial<Record<Limit['count'], string>>> = {
  requests: 'requests',
  tokens: 'tokens',
  input_tokens: 'input-tokens',
  output_tokens: 'output-tokens',
}

/** Of each kind that clients know, the limit with the smallest part left. */
export function limitHeaders(form: LimitHeaderForm, standings: ReadonlyMap<ScopedLimit, Standing>, now: number): OutgoingHttpHeaders {
  const tightest = new Map<string, Standing>()
  for (const [{ limit }, standing] of standings) {
    const name = spoken[limit.count]
    if (name === undefined || limit.isWarning) continue
    const before = tightest.get(name)
    if (before === undefined || leftOf(standing) / standing.limit < leftOf(before) / before.limit) tightest.set(name, standing)
  }
  const headers: OutgoingHttpHeaders = {}
  const { names, resetText } = forms[form]
  for (const [name, standing] of tightest) {
    const [limit, remaining, reset] = names(name)
    headers[limit] = String(standing.limit)
    headers[remaining] = String(leftOf(standing))
    if (Number.isFinite(standing.resetMs)) headers[reset] = resetText(standing.resetMs, now)
  }
  return headers
}

interface HeaderForm {
  /** Of the limit, of what remains, and of when it begins anew. */
  readonly names: (name: string) => readonly [limit: string, remaining: string, reset: string]
  readonly resetText: (resetMs: number, now: number) => string
}

const forms: Readonly<Record<LimitHeaderForm, HeaderForm>> = {
  openai: {
    names: namesOnce((name) => [`x-ratelimit-limit-${name}`, `x-ratelimit-remaining-${name}`, `x-ratelimit-reset-${name}`]),
    // `6m0s`
    resetText: durationText,
  },
  anthropic: {
    names: namesOnce((name) => {
      const start = `anthropic-ratelimit-${name}`
      return [`${start}-limit`, `${start}-remaining`, `${start}-reset`]
    }),
    // `2026-01-31T12:00:00Z`
    resetText: (resetMs, now) => new Date(now + resetMs).toISOString().replace(/\.\d+Z$/, 'Z'),
  },
}

/** Names that are put together anew are slow to write to: there are four of each form. */
function namesOnce(make: HeaderForm['names']): HeaderForm['names'] {
  const made = new Map(Object.values(spoken).map((name) => [name, make(name)]))
  return (name) => made.get(name) ?? make(name)
}

/** What is left, in whole ones. */
export function leftOf({ used, limit }: Standing): number {
  return Math.max(0, Math.floor(limit - used))
}

/** `1h2m3s`, as Go writes durations. */
export function durationText(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds % 60}s`
}
