/** A small snapshot and a clock that stands still, for the tests of this room. */
import { noManagedObjects } from '../config/managed/facts.ts'
import type { Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import type { Principal } from '../core/principal.ts'

export interface TestClock extends Clock {
  advance(milliseconds: number): void
}

export function testClock(start = 1_700_000_000_000): TestClock {
  let passed = 0
  return { now: () => start + passed, monotonic: () => passed, advance: (milliseconds) => void (passed += milliseconds) }
}

export function principal(id: string, parts: Partial<Principal> = {}): Principal {
  return { id, kind: 'human', groups: [], emails: [], credentials: new Map(), ...parts }
}

/** Only the parts identity reads; reading any other fails the test. */
export function snapshotWith(parts: Partial<Snapshot>): Snapshot {
  const empty = new Map<string, never>()
  return {
    revision: 'r1',
    managed: noManagedObjects,
    settings: { listen: { ignore_credential_headers: [] } },
    identity: { issuers: {}, edges: {}, certificates: {}, scim: {}, roles: {} },
    principals: empty,
    keys: empty,
    credentials: empty,
    upstreams: empty,
    groupCredentials: empty,
    groupManagers: empty,
    ...parts,
  } as unknown as Snapshot
}
