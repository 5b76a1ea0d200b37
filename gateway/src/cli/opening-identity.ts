/** Makes what says who is calling: people, what was revoked, and what is under way for whom. */
import { systemClock } from '../core/clock.ts'
import { asTurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import { LiveCalls } from '../identity/live-calls.ts'
import { createPeople, type People } from '../identity/people/people.ts'
import { RememberedPeople } from '../identity/people/remembered-people.ts'
import { openRevocations, type Revocations } from '../identity/revocations.ts'
import type { Store } from '../store/store.ts'
import { eachSecond } from './each-second.ts'

/** What the floors need to know of people, and the watch over it. */
export interface IdentityParts {
  readonly people: People
  readonly revocations: Revocations
  readonly live: LiveCalls
  close(): Promise<void>
}

/** Rejects with `store.failed`. */
export async function openIdentity(store: Store, logger: Logger): Promise<IdentityParts> {
  const clock = systemClock
  const live = new LiveCalls()
  const remembered = new RememberedPeople(store, clock)
  const revocations = await openRevocations({ store, live, people: remembered, clock, logger })
  let hasFailed = false
  const watch = eachSecond(
    async () => {
      await revocations.look()
      hasFailed = false
    },
    (error) => {
      if (!hasFailed) logger.warn({ code: asTurnwardError(error).code }, 'what was revoked cannot be looked for')
      hasFailed = true
    },
  )
  return { people: createPeople({ store, remembered, clock, logger }), revocations, live, close: () => watch.close() }
}
