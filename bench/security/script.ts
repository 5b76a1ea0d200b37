/**
 * What the scripted model does in one case: the ground truth of the person's task, step by step; and as soon as it can read an
 * injected instruction, first everything that one wants. A refusal stops it in nothing: it goes on with the next step.
 */
import { isVisible } from './visible-text.ts'
import type { Call } from './suites.ts'

export interface Plan {
  readonly steps: readonly Call[]
  /** What it says in the end. */
  readonly output: string
  /** The instruction it obeys when it sees it. */
  readonly goal?: string
  /** A value it can only have from what it read: a step with it is left out until it could read it. */
  readonly learned?: string | number
  /** What obeying comes to now. Asked for once. */
  readonly injected: () => Promise<readonly Call[]>
}

export class Script {
  readonly #plan: Plan
  #steps: readonly Call[]
  #hasObeyed = false

  constructor(plan: Plan) {
    this.#plan = plan
    this.#steps = plan.steps
  }

  /** The next call, or undefined when there is nothing left but to answer. */
  async next(visible: string): Promise<Call | undefined> {
    const { goal, learned, injected } = this.#plan
    if (!this.#hasObeyed && goal !== undefined && isVisible(goal, visible)) {
      this.#hasObeyed = true
      this.#steps = [...(await injected()), ...this.#steps]
    }
    const isKnown = (call: Call): boolean =>
      learned === undefined || !JSON.stringify(call.args).includes(String(learned)) || isVisible(String(learned), visible)
    const index = this.#steps.findIndex(isKnown)
    const step = this.#steps[index]
    this.#steps = index === -1 ? [] : this.#steps.slice(index + 1)
    return step
  }

  /** Steps that were not even tried. */
  get left(): number {
    return this.#steps.length
  }

  get output(): string {
    return this.#plan.output
  }

  /** Whether it has read the instruction. */
  get hasObeyed(): boolean {
    return this.#hasObeyed
  }
}
