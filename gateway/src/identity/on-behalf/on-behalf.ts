/** Tool calls that carry the credential of the person they are for: everything that takes, put together. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { SignIn } from '../browser/sign-in.ts'
import { guardedFetch } from '../guarded-fetch.ts'
import type { AuthKinds } from '../server-auth/auth-kind.ts'
import { createAccounts, type Accounts } from './accounts.ts'
import { connectEntrances, type ConnectEntrance } from './connecting.ts'
import { issuedKinds, type IssuedKindsParts } from './issued-kinds.ts'
import { IssuerEndpoints } from './issuer-endpoints.ts'
import type { LinkEngine } from './link-engine.ts'
import { LinkFlows } from './link-flows.ts'
import { Links, type RenewTokens } from './links.ts'
import { personHeaderKind } from './person-header-kind.ts'
import { personSecretKind } from './person-secret-kind.ts'
import { PersonTokens } from './person-tokens.ts'
import type { SecretVault } from './secret-vault.ts'
import { StoredSecrets } from './stored-secrets.ts'
import { userKind } from './user-kind.ts'

export interface OnBehalfParts {
  readonly snapshot: () => Snapshot
  /** What browsers reach the gateway under, without a slash at its end. */
  readonly publicUrl: () => string
  readonly vault: SecretVault
  readonly state: StateStore
  readonly clock: Clock
  readonly logger: Logger
  /** That of the store. */
  readonly secret: Uint8Array
  readonly signIn: SignIn
  readonly engine: LinkEngine & { readonly renew: RenewTokens }
  readonly signedIn: IssuedKindsParts['signedIn']
  readonly authorizationOf: IssuedKindsParts['authorizationOf']
}

export interface OnBehalf {
  readonly kinds: Pick<AuthKinds, 'user' | 'exchange' | 'entra_obo' | 'id_jag' | 'person_header' | 'person_secret'>
  /** The pages where people connect accounts. */
  readonly entrances: readonly ConnectEntrance[]
  readonly accounts: Accounts
  /** Nothing that was issued for this person is used any more. */
  cut(person: string): void
}

export function createOnBehalf(parts: OnBehalfParts): OnBehalf {
  const { clock, secret, vault, snapshot } = parts
  const now = (): number => clock.now()
  const places = { publicUrl: parts.publicUrl, now, secret }
  const links = new Links({ ...parts, renew: parts.engine.renew, pause: (ms) => pause(ms) })
  const secrets = new StoredSecrets(vault, clock)
  const tokens = new PersonTokens(now)
  const issuers = new IssuerEndpoints(clock, (issuer) => guardedFetch({ home: issuer.issuer, allowHttp: issuer.allow_http }))
  const issued = issuedKinds({
    ...parts,
    tokens,
    now,
    issuerAt: (current, name, server) =>
      issuers.at(name, Object.hasOwn(current.identity.issuers, name) ? current.identity.issuers[name] : undefined, server),
  })
  const flows = new LinkFlows(parts.state, clock, secret)
  return {
    kinds: {
      ...issued,
      user: userKind(links, places),
      person_header: personHeaderKind(secrets, places),
      person_secret: personSecretKind(secrets, places),
    },
    entrances: connectEntrances({ ...parts, snapshot, links, secrets, flows }),
    accounts: createAccounts({ links, secrets, pause: (ms) => pause(ms) }),
    cut: (person) => tokens.cut(person),
  }
}
