/** What one deployment may be used at most. */
import type { Draft } from '../gateways/draft.ts'
import { limitEntry, type ForeignLimit } from '../gateways/limit-entry.ts'
import type { Foreign } from '../gateways/foreign-value.ts'
import { secondsOf, windowOf } from '../gateways/windows.ts'
import type { Parameters } from './parameters.ts'

type NamedLimit = ForeignLimit & { readonly name: string }

const passedOver = 'one without room is passed over, and none of its name is asked when all are'

/** In `litellm_params`, or in `model_info` as older files have it. */
export function limitsOf(parameters: Parameters, item: Foreign): readonly NamedLimit[] {
  const get = (key: string): Foreign | undefined => parameters.get(key) ?? item.get('model_info')?.get(key)
  const found: NamedLimit[] = []
  const rpm = get('rpm')
  if (rpm !== undefined) found.push({ name: 'rpm', count: 'requests', limit: rpm, window: windowOf(60), why: passedOver })
  const tpm = get('tpm')
  if (tpm !== undefined) found.push({ name: 'tpm', count: 'tokens', limit: tpm, window: windowOf(60), why: passedOver })
  const parallel = get('max_parallel_requests')
  if (parallel !== undefined) found.push({ name: 'at-once', count: 'concurrent', limit: parallel, window: undefined })
  const [budget, duration] = [get('max_budget'), get('budget_duration')]
  const window = windowOf(secondsOf(duration?.text() ?? '') ?? 0)
  if (budget !== undefined && window !== undefined)
    found.push({ name: 'budget', count: 'cost', limit: budget, window, windowFrom: duration })
  else budget?.left('a budget is for a time here, and this one has none: add `budget_duration`, or a limit by hand')
  return found
}

/** Takes them as limits of the upstream. */
export function takeLimits(limits: readonly NamedLimit[], upstream: string, draft: Draft): void {
  for (const { name, ...limit } of limits) {
    const entry = limitEntry({ ...limit, match: { upstreams: [upstream] } })
    if (entry !== undefined) draft.limit(`${upstream}-${name}`, entry)
  }
}
