/** Puts the authorization server together, when the first request needs it. */
import type { Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { TurnwardError } from '../core/error.ts'
import type { Principal } from '../core/principal.ts'
import type { SignIn } from '../identity/browser/sign-in.ts'
import type { AuthorizationServer } from '../identity/oauth-server/authorization-server.ts'
import { oauthEntrances, type OAuthEntrance } from '../identity/oauth-server/oauth-entrances.ts'
import type { OwnTokens } from '../identity/oauth-server/own-token-way.ts'
import type { TokenPerson } from '../identity/oauth-server/own-tokens.ts'
import { SigningKeys } from '../identity/oauth-server/signing-keys.ts'
import type { Issuers } from '../identity/ways/token/issuers.ts'
import { createTokenWay } from '../identity/ways/token/token-way.ts'
import type { Revocations } from '../identity/revocations.ts'
import type { People } from '../identity/people/people.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Store } from '../store/store.ts'
import type { Fleet } from '../tools/catalogue.ts'
import { usableThings } from './usable-things.ts'

export interface OAuthParts {
  readonly snapshot: () => Snapshot
  readonly store: Pick<Store, 'oauthKeys' | 'secret'>
  readonly state: StateStore
  readonly fleet: Pick<Fleet, 'for' | 'hold'>
  readonly people: People
  readonly revocations: Pick<Revocations, 'revoke' | 'revokedAt'>
  readonly issuers: Issuers
  readonly signIn: SignIn
  readonly clock: Clock
  readonly logger: Logger
}

export interface ServedOAuth {
  readonly entrances: readonly OAuthEntrance[]
  /** Verifies what the server gave out. */
  readonly ownTokens: () => Promise<OwnTokens>
}

export function serveOAuth(parts: OAuthParts): ServedOAuth {
  const { snapshot, store, state, fleet, people, revocations, issuers, signIn, clock, logger } = parts
  let server: Promise<AuthorizationServer> | undefined
  let tokens: Promise<OwnTokens> | undefined
  const signingKeys = new SigningKeys({ table: store.oauthKeys, secret: store.secret, clock })
  const principalOf = ({ person }: TokenPerson, of: Snapshot): Principal | Promise<Principal> => people.principal(person, of)
  const open = async (): Promise<AuthorizationServer> => {
    const { AuthorizationServer: Server } = await import('../identity/oauth-server/authorization-server.ts')
    const { createInboundAssertions } = await import('../identity/oauth-server/inbound-assertions.ts')
    const tokenWay = createTokenWay({ issuers, people, clock, revocations })
    return new Server({
      state,
      keys: signingKeys,
      secret: store.secret,
      clock,
      logger,
      signIn,
      isKnown: async (account, of) => {
        try {
          await principalOf(account, of)
          return true
        } catch (error) {
          return notIfRefused(error)
        }
      },
      revocations,
      assertions: createInboundAssertions({ tokenWay, issuers, people, clock }),
      usable: async (account, asked, of) => usableThings(fleet, of, await principalOf(account, of), asked),
    })
  }
  return {
    entrances: oauthEntrances({ snapshot, server: () => (server ??= open()) }),
    ownTokens: () =>
      (tokens ??= import('../identity/oauth-server/own-tokens.ts').then(({ createOwnTokens }) =>
        createOwnTokens({ clock, keys: signingKeys, principalOf, revocations, proofs: { state, clock } }),
      )),
  }
}

/** Somebody who is refused is nobody; a store that cannot be asked says nothing. */
function notIfRefused(error: unknown): boolean {
  if (error instanceof TurnwardError && error.code.startsWith('auth.')) return false
  throw error
}
