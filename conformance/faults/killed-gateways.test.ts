/** Eight sudden deaths under load on both floors. Two hundred are in `killed-gateways.slow.ts`. */
import { expect, test } from 'vitest'
import { describeKillings, killAgainAndAgain } from './killing-suite.ts'

test('whenever it is killed: no side effect without a decision on disk, a log that verifies, and it comes back', async () => {
  const killings = await killAgainAndAgain(8)
  console.log(describeKillings(killings))
  expect(killings.restarts).toHaveLength(8)
}, 600_000)
