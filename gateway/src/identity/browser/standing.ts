/** Whether somebody who signed in may still be in, and with which roles: asked each time a page is, at the store. */
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import type { Store } from '../../store/store.ts'
import type { BrowserSession } from './sign-in.ts'

export interface StandingParts {
  readonly store: Pick<Store, 'people' | 'accounts' | 'revocations'>
  readonly snapshot: () => Pick<Snapshot, 'principals'>
  readonly clock: Clock
}

/** The roles of the person; undefined where a session that began then is not good any more. */
export async function standingOf(
  { store, snapshot, clock }: StandingParts,
  { person, issuer, signedInAt }: Pick<BrowserSession, 'person' | 'issuer' | 'signedInAt'>,
): Promise<readonly string[] | undefined> {
  const known = await store.people.find(person)
  if (known === undefined ? !snapshot().principals.has(person) : !known.active) return undefined
  if (issuer === null) {
    const account = await store.accounts.find(person)
    // What it is signed in with was set anew, or taken away.
    if (account === undefined || account.changed > signedInAt) return undefined
  }
  // Somebody who was shut out and let in again signs in again.
  const revoked = await store.revocations.since(signedInAt, clock.now())
  if (revoked.some(({ kind, id }) => kind === 'person' && id === person)) return undefined
  return known?.roles ?? []
}
