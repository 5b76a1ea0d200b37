/** How much a call is expected to use before it is made, and what it has used once it is over, in what each limit counts. */
import type { UsageRecord } from '@turnward/contract/decision'
import type { Limit } from '../../config/snapshot.ts'
import type { PricedRound } from '../../models/prices/prices.ts'
import { priceOf, type Tariff } from '../../models/prices/tariff.ts'
import type { RequestView } from '../../wire/dialect.ts'
import { nanos } from './limits-of-call.ts'

/** Bytes to a token: a little less than most languages have, because what is reserved too much comes back. */
export const bytesToToken = 3.5
/** What is longer is looked through for its words: most of it may be pictures. */
const shortBytes = 256 * 1024
/** Tokens of a picture or a document, about. */
const mediaTokens = 1600

/** Tokens of so many bytes, rounded up. */
export function tokensOf(bytes: number): number {
  return Math.ceil(bytes / bytesToToken)
}

/** Tokens a request has, about: it is settled by what the vendor counts. `bytes`: of its body, where they are at hand. */
export function inputEstimate({ messages }: Pick<RequestView, 'messages'>, bytes: number | undefined): number {
  if (bytes !== undefined && bytes <= shortBytes) return tokensOf(bytes)
  let words = 0
  let results = 0
  for (const message of messages) {
    words += Buffer.byteLength(message.text)
    for (const { argsText, name } of message.calls) words += argsText.length + name.length
    for (const { text } of message.results) {
      words += Buffer.byteLength(text)
      results += 1
    }
  }
  // Beside the words there are definitions of tools, and pictures, one with each result at most as a rule.
  const besides = Math.min(Math.max(0, (bytes ?? 0) - words), shortBytes + results * mediaTokens * bytesToToken)
  return tokensOf(words + besides)
}

/** What is to be reserved, or what was used. */
export interface Amounts {
  /** Requests that were made, or are to be. */
  readonly requests: number
  readonly usage: UsageRecord
  /** In billionths of a dollar. */
  readonly cost: number
}

/** What of it a limit counts. What runs now counts one as long as it runs. */
export function amountOf({ count }: Pick<Limit, 'count'>, { requests, usage, cost }: Amounts): number {
  const { inputTokens = 0, outputTokens = 0 } = usage
  switch (count) {
    case 'requests':
    case 'tool_calls':
      return requests
    case 'concurrent':
      return 1
    case 'input_tokens':
      return inputTokens
    case 'output_tokens':
      return outputTokens
    case 'tokens':
      return inputTokens + outputTokens
    case 'cost':
      return cost
  }
}

export function costIn(tariff: Tariff | undefined, usage: UsageRecord): number {
  return tariff === undefined ? 0 : Math.ceil(priceOf(tariff, usage) * nanos)
}

/** What rounds came to together. `upstreams`: only those that one of these was asked for. `hasRun`: a request was made, also where no round of it has come. */
export function amountsOf(
  rounds: readonly PricedRound[],
  tariffOf: (round: PricedRound) => Tariff | undefined,
  upstreams: readonly string[] | undefined,
  hasRun = false,
): Amounts {
  const own = upstreams === undefined ? rounds : rounds.filter((round) => upstreams.includes(round.upstream.name))
  const sum = (read: (usage: UsageRecord) => number | undefined): number => own.reduce((all, { usage }) => all + (read(usage) ?? 0), 0)
  return {
    requests: own.length === 0 && !hasRun ? 0 : 1,
    usage: { inputTokens: sum(({ inputTokens }) => inputTokens), outputTokens: sum(({ outputTokens }) => outputTokens) },
    cost: own.reduce((all, round) => all + costIn(tariffOf(round), round.usage), 0),
  }
}
