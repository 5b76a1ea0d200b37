/** What one deployment costs, where the file says it: dollars for a token become dollars for a million. */
import type { Draft } from '../gateways/draft.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import { rounded } from '../gateways/limit-entry.ts'
import { literal } from '../gateways/foreign-text.ts'
import type { Foreign } from '../gateways/foreign-value.ts'
import type { Parameters } from './parameters.ts'

const rates = {
  input: 'input_cost_per_token',
  output: 'output_cost_per_token',
  cache_read: 'cache_read_input_token_cost',
  cache_write: 'cache_creation_input_token_cost',
  reasoning: 'output_cost_per_reasoning_token',
} as const

export function takePrice(model: string, upstream: string, parameters: Parameters, item: Foreign, draft: Draft): void {
  const get = (key: string): Foreign | undefined => parameters.get(key) ?? item.get('model_info')?.get(key)
  const entry = new DraftEntry().set('models', [literal(model)]).set('upstreams', [upstream])
  let hasAny = false
  for (const [setting, key] of Object.entries(rates)) {
    const from = get(key)
    const price = from?.number()
    if (from === undefined || price === undefined) continue
    hasAny = true
    entry.set(setting, rounded(price * 1_000_000), from)
  }
  if (!hasAny) return
  // What is not said costs nothing there either.
  if (entry.value['input'] === undefined) entry.set('input', 0)
  draft.push('prices', entry)
}
