/** The lanes that show most: what is modern in one is the gateway alone, and what is of tasks is in no other. `npm run conformance` runs them all. */
import { expect, test } from 'vitest'
import { lanes, runLane } from './lanes.ts'

test.each(lanes.filter(({ name }) => name === 'modern-to-legacy' || name === 'tasks'))(
  'the suite finds in $name what its list of failures expects',
  async (lane) => {
    const { faults, passed } = await runLane(lane)
    expect(faults).toEqual([])
    expect(passed).toBeGreaterThan(0)
  },
)
