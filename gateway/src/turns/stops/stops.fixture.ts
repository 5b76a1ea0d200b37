/** Stops for tests that have no store: nothing is stopped. */
import { nothingStands } from './standing-stops.ts'
import type { Stops } from './stops.ts'

export const nothingStopped: Stops = { now: nothingStands, requireGoing: () => undefined, look: async () => {} }
