/** The shortest lane that shows most: what is modern in it is the gateway alone. `npm run conformance` runs them all. */
import { expect, test } from 'vitest'
import { lanes, runLane } from './lanes.ts'

test.each(lanes.filter(({ name }) => name === 'modern-to-legacy'))(
  'the suite finds in $name what its list of failures expects',
  async (lane) => {
    const { faults, passed } = await runLane(lane)
    expect(faults).toEqual([])
    expect(passed).toBeGreaterThan(0)
  },
)
