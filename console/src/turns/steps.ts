/** A turn as lines, one below the other in the order of time: what a model did, what came of it, and what that changed. Pure. */
import type { LabelGain, ModelCallStep, ProposalStep, TokenCountStep, ToolCallStep, TurnStep, TurnTree } from '@turnward/contract/api/turns'

export type Line = StepLine | GainLine

export interface StepLine {
  readonly kind: 'model call' | 'token count' | 'proposed' | 'ran'
  readonly depth: number
  readonly step: ModelCallStep | TokenCountStep | ProposalStep | ToolCallStep
}

export interface GainLine {
  readonly kind: 'label'
  readonly depth: number
  readonly gain: LabelGain
}

/** What a step adds to the label stands where it was added: before the next thing that began after it. */
export function linesOf({ modelCalls, tokenCounts, otherCalls, labels }: TurnTree): readonly Line[] {
  const blocks: readonly (readonly StepLine[])[] = [
    ...modelCalls.map((step): StepLine[] => [
      { kind: 'model call', depth: 0, step },
      ...step.proposals.flatMap((proposal) => proposalLines(proposal, 1)),
    ]),
    ...tokenCounts.map((step): StepLine[] => [{ kind: 'token count', depth: 0, step }]),
    ...otherCalls.map((step): readonly StepLine[] => ('ran' in step ? proposalLines(step, 0) : [{ kind: 'ran', depth: 0, step }])),
  ]
  const startOf = ([first]: readonly StepLine[]): number => first?.step.time ?? 0
  const steps: Line[] = blocks.toSorted((one, other) => startOf(one) - startOf(other)).flat()
  return labels.reduce<readonly Line[]>((lines, gain) => {
    const next = lines.findIndex((line) => line.kind !== 'label' && line.step.time > gain.time)
    return lines.toSpliced(next < 0 ? lines.length : next, 0, { kind: 'label', depth: 0, gain })
  }, steps)
}

function proposalLines(step: ProposalStep, depth: number): readonly StepLine[] {
  return [{ kind: 'proposed', depth, step }, ...step.ran.map((call): StepLine => ({ kind: 'ran', depth: depth + 1, step: call }))]
}

/** What became of it, in a few words. */
export function statusOf({ action, verdict }: Pick<TurnStep, 'action' | 'verdict'>): string {
  if (action === 'release') return verdict === 'warn' ? 'released with a warning' : 'released'
  return statuses[action]
}

const statuses = {
  refuse: 'refused',
  answer: 'answered by the gateway',
  hold: 'waits for a person',
  observe: 'would be refused',
  hide: 'hidden',
} as const

/** Where a step stands in the time of the turn, in percent. A step that has no duration is a point. */
export function spanOf({ time, latencyMs = 0 }: Pick<TurnStep, 'time' | 'latencyMs'>, started: number, ended: number) {
  const whole = Math.max(1, ended - started)
  const left = Math.min(100, Math.max(0, ((time - started) / whole) * 100))
  return { left, width: Math.min(100 - left, Math.max(1, (latencyMs / whole) * 100)) }
}
