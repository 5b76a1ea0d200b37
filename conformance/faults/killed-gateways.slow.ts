/** Two hundred sudden deaths under load on both floors, on one log. */
import { expect, test } from 'vitest'
import { describeKillings, killAgainAndAgain } from './killing-suite.ts'

test('killed two hundred times', async () => {
  const killings = await killAgainAndAgain(200)
  console.log(describeKillings(killings))
  expect(killings.restarts).toHaveLength(200)
})
