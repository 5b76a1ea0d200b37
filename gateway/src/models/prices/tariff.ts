/** What tokens cost at one model, and the arithmetic of it: the same for prices that are configured and for those that are known. */
import type { UsageRecord } from '@turnward/contract/decision'

/** US dollars for a million tokens. What is absent costs what the rate it is a part of says. */
export interface Rates {
  readonly input: number
  readonly output: number
  readonly cacheRead?: number | undefined
  readonly cacheWrite?: number | undefined
  readonly cacheWriteLong?: number | undefined
  readonly reasoning?: number | undefined
  readonly inputAudio?: number | undefined
  readonly outputAudio?: number | undefined
}

export interface Tariff {
  readonly rates: Rates
  /** Dollars for each request besides. */
  readonly request: number
  /** Rates for the whole of a request with more input tokens than this, the longest first. */
  readonly above: readonly { readonly inputTokens: number; readonly rates: Rates }[]
}

/** Dollars for one request, unrounded. Parts that say more than their whole are cut to it. */
export function priceOf({ rates: base, request, above }: Tariff, usage: UsageRecord): number {
  const { inputTokens: input = 0, outputTokens: output = 0 } = usage
  const rates = above.find(({ inputTokens }) => input > inputTokens)?.rates ?? base
  const read = Math.min(usage.cacheReadTokens ?? 0, input)
  const written = Math.min(usage.cacheWriteTokens ?? 0, input - read)
  const long = Math.min(usage.cacheWriteLongTokens ?? 0, written)
  const heard = Math.min(usage.inputAudioTokens ?? 0, input - read - written)
  const spoken = Math.min(usage.outputAudioTokens ?? 0, output)
  const thought = Math.min(usage.reasoningTokens ?? 0, output - spoken)
  const { cacheRead = rates.input, cacheWrite = rates.input, reasoning = rates.output } = rates
  const millions =
    (input - read - written - heard) * rates.input +
    heard * (rates.inputAudio ?? rates.input) +
    spoken * (rates.outputAudio ?? rates.output) +
    read * cacheRead +
    (written - long) * cacheWrite +
    long * (rates.cacheWriteLong ?? cacheWrite) +
    (output - spoken - thought) * rates.output +
    thought * reasoning
  return request + millions / 1_000_000
}
