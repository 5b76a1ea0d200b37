/** What a scenario is: the rows it makes, and what it is given to make them. */
import type { Pace } from './alternating.ts'
import type { MeasuredProcess } from './measured-process.ts'
import type { Row } from './rows.ts'

export interface Scenario {
  readonly name: string
  readonly run: (bench: Bench) => Promise<readonly Row[]>
}

export interface Bench {
  readonly pace: Pace
  readonly quick: boolean
  /** Keeps a process until the scenario ends. */
  readonly keep: (starting: Promise<MeasuredProcess>) => Promise<MeasuredProcess>
}

/** Runs one scenario and stops what it started, whatever happened. */
export async function runScenario(scenario: Scenario, pace: Pace, quick: boolean): Promise<readonly Row[]> {
  const kept: MeasuredProcess[] = []
  const keep: Bench['keep'] = async (starting) => {
    const started = await starting
    kept.push(started)
    return started
  }
  try {
    return await scenario.run({ pace, quick, keep })
  } finally {
    await Promise.all(kept.map((one) => one.stop()))
  }
}
