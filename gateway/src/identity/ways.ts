/** The table of the ways to authenticate. A new way is a folder and a line here. */
import type { Snapshot } from '../config/snapshot.ts'
import { createOwnTokenWay, type OwnTokenWayOptions } from './oauth-server/own-token-way.ts'
import type { People } from './people/people.ts'
import type { Revocations } from './revocations.ts'
import { createCertificateWay } from './ways/certificate/certificate-way.ts'
import { createEdgeWay } from './ways/edge/edge-way.ts'
import { createKeyWay, type KeyWayOptions } from './ways/key/key-way.ts'
import type { Issuers } from './ways/token/issuers.ts'
import { createTokenWay } from './ways/token/token-way.ts'
import type { Way } from './ways/way.ts'

export interface WayOptions extends KeyWayOptions, OwnTokenWayOptions {
  readonly people: People
  /** What is no longer good, though it says it is. */
  readonly revocations: Pick<Revocations, 'revokedAt' | 'onRevoked'>
  /** Whose tokens are taken; without them none are. */
  readonly issuers?: Issuers
  /** `iss` of tokens that we give out ourselves; undefined where we give out none. */
  readonly ownIssuer?: (snapshot: Snapshot) => string | undefined
}

/** Every way, in the order they are tried. */
export function createWays(options: WayOptions): readonly Way[] {
  const { issuers } = options
  return [
    createKeyWay(options),
    ...(issuers === undefined ? [] : [createTokenWay({ ...options, issuers })]),
    createOwnTokenWay(options),
    createEdgeWay(options),
    createCertificateWay(options),
  ]
}
