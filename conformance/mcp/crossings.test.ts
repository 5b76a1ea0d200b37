/** Two hundred people at once, who use the same ids, tokens and names at the same servers: nothing crosses. */
import { afterAll, beforeAll, test } from 'vitest'
import {
  expectOwnCancellations,
  expectOwnResults,
  expectOwnSubscriptions,
  expectOwnTasks,
  startCrossings,
  type Crossings,
} from './crossings.ts'

let crossings: Crossings
beforeAll(async () => {
  crossings = await startCrossings(200)
})
afterAll(() => crossings?.[Symbol.asyncDispose]())

test('everybody gets the progress and the result of the own call, also from a server that says what is others’', async () => {
  for (let round = 0; round < 3; round += 1) await expectOwnResults(crossings)
})

test('who cancels a call cancels the own one', () => expectOwnCancellations(crossings))

test('everybody is told of what he watches, and of nothing that he may not read', () => expectOwnSubscriptions(crossings))

test('a task is read by who has it', () => expectOwnTasks(crossings))
