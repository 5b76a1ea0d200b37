import { expect, test } from 'vitest'
import { JoinedRounds } from './joined-rounds.ts'

test('what is asked for while a round runs is one more round, however often it is asked for', async () => {
  const rounds: PromiseWithResolvers<void>[] = []
  const begun: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers(), Promise.withResolvers()]
  const joined = new JoinedRounds(() => {
    const round = Promise.withResolvers<void>()
    begun[rounds.push(round) - 1]?.resolve()
    return round.promise
  })
  joined.ask()
  joined.ask()
  await begun[0]?.promise
  joined.ask()
  joined.ask()
  rounds[0]?.resolve()
  await begun[1]?.promise
  rounds[1]?.resolve()
  await new Promise(setImmediate)
  expect(rounds).toHaveLength(2)
  joined.ask()
  await begun[2]?.promise
  expect(rounds).toHaveLength(3)
})
