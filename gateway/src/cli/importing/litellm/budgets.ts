/** Budgets and limits of LiteLLM as a whole, of its users and of its keys. */
import type { Draft } from '../gateways/draft.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import type { Foreign } from '../gateways/foreign-value.ts'
import { limitEntry } from '../gateways/limit-entry.ts'
import { secondsOf, windowOf } from '../gateways/windows.ts'

interface Holder {
  /** Of the rule. */
  readonly name: string
  readonly per: 'none' | 'principal' | 'key'
  readonly map: Foreign | undefined
  readonly budget?: string
  readonly duration?: string
  readonly why?: string
}

/** Takes every budget of the two sections. */
export function takeBudgets(settings: Foreign | undefined, general: Foreign | undefined, draft: Draft): void {
  const eachUser = 'it holds for every principal, whatever was set for one'
  const eachKey = 'it holds for every key, not only for those that are made later'
  const holders: readonly Holder[] = [
    { name: 'everyone', per: 'none', map: settings, budget: 'max_budget', duration: 'budget_duration' },
    {
      name: 'each-user',
      per: 'principal',
      map: settings,
      budget: 'max_internal_user_budget',
      duration: 'internal_user_budget_duration',
      why: eachUser,
    },
    { name: 'each-user', per: 'principal', map: settings?.get('default_internal_user_params'), why: eachUser },
    { name: 'each-key', per: 'key', map: settings?.get('upperbound_key_generate_params'), why: eachKey },
    { name: 'each-key', per: 'key', map: settings?.get('default_key_generate_params'), why: eachKey },
  ]
  for (const holder of holders) takeHolder(holder, draft)
  const all = general?.get('global_max_parallel_requests')
  if (all !== undefined) takeLimit('everyone-at-once', { count: 'concurrent', limit: all, window: undefined }, draft)
  const each = general?.get('max_parallel_requests')
  if (each !== undefined)
    takeLimit('each-upstream-at-once', { count: 'concurrent', limit: each, window: undefined, per: 'upstream' }, draft)
  takeSizes(general, draft)
}

function takeHolder({ name, per, map, budget = 'max_budget', duration = 'budget_duration', why }: Holder, draft: Draft): void {
  const [amount, length] = [map?.get(budget), map?.get(duration)]
  const window = windowOf(secondsOf(length?.text() ?? '') ?? 0)
  if (amount !== undefined && window !== undefined)
    takeLimit(`${name}-budget`, { count: 'cost', limit: amount, window, windowFrom: length, per, why }, draft)
  else amount?.left('a budget is for a time here, and this one has none: add a limit by hand')
  if (name === 'everyone') return
  const [rpm, tpm, parallel] = [map?.get('rpm_limit'), map?.get('tpm_limit'), map?.get('max_parallel_requests')]
  if (rpm !== undefined) takeLimit(`${name}-rpm`, { count: 'requests', limit: rpm, window: windowOf(60), per, why }, draft)
  if (tpm !== undefined) takeLimit(`${name}-tpm`, { count: 'tokens', limit: tpm, window: windowOf(60), per, why }, draft)
  if (parallel !== undefined) takeLimit(`${name}-at-once`, { count: 'concurrent', limit: parallel, window: undefined, per, why }, draft)
  map?.get('models')?.left('which models somebody may use is for `grants`')
}

function takeLimit(name: string, limit: Parameters<typeof limitEntry>[0], draft: Draft): void {
  const entry = limitEntry(limit)
  if (entry !== undefined) draft.limit(name, entry)
}

const sizes = { max_body_bytes: 'max_request_size_mb', max_response_bytes: 'max_response_size_mb' } as const

function takeSizes(general: Foreign | undefined, draft: Draft): void {
  for (const [setting, key] of Object.entries(sizes)) {
    const from = general?.get(key)
    const megabytes = from?.number()
    if (from !== undefined && megabytes !== undefined)
      draft.setting('limits', new DraftEntry().set(setting, Math.floor(megabytes * 1024 * 1024), from))
  }
}
