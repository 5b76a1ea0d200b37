/** What hops to servers are made with where nobody is there whose own it could be. */
import type { Clock } from '../../core/clock.ts'
import { authKinds } from './auth-kinds.ts'
import { KnownChallenges } from './known-challenges.ts'
import { createServerCredentials, type ServerCredentials } from './server-credentials.ts'

export function sharedCredentials(clock: Pick<Clock, 'now'>): ServerCredentials {
  const challenges = new KnownChallenges()
  return createServerCredentials(authKinds({ challengeOf: challenges.of, clock }), challenges)
}
