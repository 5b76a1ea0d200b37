/** Puts the authorization server together, when the first request needs it. */
import type { Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { TurnwardError } from '../core/error.ts'
import type { Principal } from '../core/principal.ts'
import { html } from '../identity/browser/html.ts'
import type { SignIn } from '../identity/browser/sign-in.ts'
import type { AuthorizationServer } from '../identity/oauth-server/authorization-server.ts'
import { oauthEntrances, type OAuthEntrance } from '../identity/oauth-server/oauth-entrances.ts'
import { ownIssuer, type OwnTokens } from '../identity/oauth-server/own-token-way.ts'
import type { TokenPerson } from '../identity/oauth-server/own-tokens.ts'
import { SigningKeys } from '../identity/oauth-server/signing-keys.ts'
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
  const { snapshot, store, state, fleet, people, signIn, clock, logger } = parts
  let server: Promise<AuthorizationServer> | undefined
  let tokens: Promise<OwnTokens> | undefined
  const signingKeys = new SigningKeys({ table: store.oauthKeys, secret: store.secret, clock })
  const principalOf = async ({ person, issuer }: TokenPerson, of: Snapshot): Promise<Principal> => {
    const known = { issuer: issuer ?? ownIssuer, subject: person, user: person }
    return people.principalOf({ ...known, emails: [], groups: [], kind: 'human', provision: 'known' }, of)
  }
  const open = async (): Promise<AuthorizationServer> => {
    const { AuthorizationServer: Server } = await import('../identity/oauth-server/authorization-server.ts')
    return new Server({
      state,
      keys: signingKeys,
      secret: store.secret,
      clock,
      logger,
      signIn,
      isKnown: (account, of) => principalOf(account, of).then(() => true, notIfRefused),
      usable: async (account, asked, of) => usableThings(fleet, of, await principalOf(account, of), asked),
    })
  }
  return {
    entrances: oauthEntrances({ snapshot, server: () => (server ??= open()) }),
    ownTokens: () =>
      (tokens ??= import('../identity/oauth-server/own-tokens.ts').then(({ createOwnTokens }) =>
        createOwnTokens({ clock, keys: signingKeys, principalOf, proofs: { state, clock } }),
      )),
  }
}

/** Somebody who is refused is nobody; a store that cannot be asked says nothing. */
function notIfRefused(error: unknown): boolean {
  if (error instanceof TurnwardError && error.code.startsWith('auth.')) return false
  throw error
}

/** Only principals of the file are known. */
export const declaredPeople: People = {
  principalOf({ user }, { principals }) {
    const found = principals.get(user)
    if (found === undefined) throw new TurnwardError('auth.unknown_key', { why: 'the principal of the token is not in the configuration' })
    return found
  },
}

/** Where there is no sign-in, nobody is signed in. */
export const nobodySignsIn: SignIn = {
  current: async () => undefined,
  startPath: () => '/sign-in',
  csrfField: () => html``,
  checkCsrf: () => {
    throw new TurnwardError('request.not_found')
  },
}
