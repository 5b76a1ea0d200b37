/** Eight sudden deaths under load on both floors. Two hundred are in `killed-gateways.slow.ts`. */
import { expect, test } from 'vitest'
import { describeKillings, killAgainAndAgain } from './killing-suite.ts'

test('whenever it is killed: no side effect without a decision on disk, a log that verifies, and it is back soon', async () => {
  const killings = await killAgainAndAgain(8)
  console.log(describeKillings(killings))
  // Meant to be 2 seconds; a busy machine gets five times as long.
  expect(Math.max(...killings.restarts)).toBeLessThan(10_000)
}, 120_000)
