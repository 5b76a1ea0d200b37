/** What was used in an hour, by everything that it is told apart by. Pure. */
import { hash } from 'node:crypto'

/** What usage is told apart by. Empty where there is none. */
export interface UsageScope {
  readonly principal: string
  /** JSON of a list, in order. */
  readonly groups: string
  readonly key: string
  readonly consumer: string
  readonly agent: string
  readonly model: string
  readonly upstream: string
  /** Its pattern. */
  readonly route: string
}

export interface UsageAmounts {
  readonly calls: number
  /** Those of them that did not end well. */
  readonly failures: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** In dollars. */
  readonly cost: number
  /** Calls with a model that has no known price. */
  readonly unpriced: number
}

export interface HourOfUsage extends UsageScope, UsageAmounts {
  /** Unix milliseconds at which the hour begins. */
  readonly hour: number
}

export const noUsage: UsageAmounts = { calls: 0, failures: 0, inputTokens: 0, outputTokens: 0, cost: 0, unpriced: 0 }

export function addedUsage(one: UsageAmounts, other: UsageAmounts): UsageAmounts {
  return {
    calls: one.calls + other.calls,
    failures: one.failures + other.failures,
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    cost: one.cost + other.cost,
    unpriced: one.unpriced + other.unpriced,
  }
}

/** A scope as a key of one length, whatever names are in it. */
export function scopeKey({ principal, groups, key, consumer, agent, model, upstream, route }: UsageScope): string {
  return hash('sha256', JSON.stringify([principal, groups, key, consumer, agent, model, upstream, route]), 'base64url')
}
