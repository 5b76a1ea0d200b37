/** Tokens and dollars of several calls, added up from their records. Pure. */
import type { Totals } from '@turnward/contract/api/turns'
import type { DecisionRecord } from '@turnward/contract/decision'

export const noTotals: Totals = { inputTokens: 0, outputTokens: 0, cost: 0, unpriced: [] }

/** With what this record says was used; most say nothing. */
export function addToTotals(totals: Totals, { usage, cost }: Pick<DecisionRecord, 'usage' | 'cost'>): Totals {
  if (usage === undefined && cost === undefined) return totals
  return {
    inputTokens: totals.inputTokens + (usage?.inputTokens ?? 0),
    outputTokens: totals.outputTokens + (usage?.outputTokens ?? 0),
    cost: roundedCost(totals.cost + (cost?.amount ?? 0)),
    unpriced: [...new Set([...totals.unpriced, ...(cost?.unpriced ?? [])])].sort(),
  }
}

/** To nine decimals, as records have it. */
function roundedCost(dollars: number): number {
  return Math.round(dollars * 1e9) / 1e9
}
