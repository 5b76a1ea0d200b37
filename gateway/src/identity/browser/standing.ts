/** Whether somebody who signed in may still be in, and with which roles: asked each time a page is. */
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Store } from '../../store/store.ts'
import type { People } from '../people/people.ts'
import type { BrowserSession } from './sign-in.ts'

export interface StandingParts {
  readonly people: Pick<People, 'roles'>
  readonly store: Pick<Store, 'accounts' | 'revocations'>
  readonly snapshot: () => Snapshot
  readonly clock: Clock
}

const goneCodes: ReadonlySet<string> = new Set(['auth.unknown_person', 'auth.disabled'])

/** The roles of the person; undefined where a session that began then is not good any more. */
export async function standingOf(
  { people, store, snapshot, clock }: StandingParts,
  { person, issuer, signedInAt }: Pick<BrowserSession, 'person' | 'issuer' | 'signedInAt'>,
): Promise<readonly string[] | undefined> {
  if (issuer === null) {
    const account = await store.accounts.find(person)
    // What it is signed in with was set anew, or taken away.
    if (account === undefined || account.changed > signedInAt) return undefined
  }
  // Somebody who was shut out and let in again signs in again.
  const revoked = await store.revocations.since(signedInAt, clock.now())
  if (revoked.some(({ kind, id }) => kind === 'person' && id === person)) return undefined
  try {
    return await people.roles(person, snapshot())
  } catch (error) {
    if (error instanceof TurnwardError && goneCodes.has(error.code)) return undefined
    throw error
  }
}
