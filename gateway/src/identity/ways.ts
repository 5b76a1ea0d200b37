/** The table of the ways to authenticate. A new way is a folder and a line here. */
import type { People } from './people/people.ts'
import type { Revocations } from './revocations.ts'
import { createKeyWay, type KeyWayOptions } from './ways/key/key-way.ts'
import type { Way } from './ways/way.ts'

export interface WayOptions extends KeyWayOptions {
  readonly people: People
  /** What is no longer good, though it says it is. */
  readonly revocations: Pick<Revocations, 'revokedAt' | 'onRevoked'>
}

/** Every way, in the order they are tried. */
export function createWays(options: WayOptions): readonly Way[] {
  return [createKeyWay(options)]
}
