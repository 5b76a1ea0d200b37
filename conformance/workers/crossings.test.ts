/** Several processes at one address: what one has in hand reaches nobody at another. */
import { afterAll, beforeAll, test } from 'vitest'
import { expectOwnResults, expectOwnTasks, startCrossings, type Crossings } from '../mcp/crossings.ts'

let crossings: Crossings
beforeAll(async () => {
  crossings = await startCrossings(24, { workers: 2 })
})
afterAll(() => crossings?.[Symbol.asyncDispose]())

test('everybody gets the progress and the result of the own call', () => expectOwnResults(crossings))

test('a task is read by who has it, at any process', () => expectOwnTasks(crossings))
