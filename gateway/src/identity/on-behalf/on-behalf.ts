/** Tool calls that carry the credential of the person they are for: everything that takes, put together. */
import { setTimeout as pause } from 'node:timers/promises'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { BrowserEntrance } from '../browser/entrance.ts'
import type { SignIn } from '../browser/sign-in.ts'
import { guardedFetch } from '../guarded-fetch.ts'
import { authKinds } from '../server-auth/auth-kinds.ts'
import { AuthorizationCode } from '../server-auth/authorization-code.ts'
import { clientDocumentPath } from '../server-auth/client-document.ts'
import { ClientRegistrations } from '../server-auth/client-registration.ts'
import { KnownChallenges } from '../server-auth/known-challenges.ts'
import { createServerCredentials, type ServerCredentials } from '../server-auth/server-credentials.ts'
import { createAccounts, type Accounts } from './accounts.ts'
import { connectEntrances } from './connecting.ts'
import { endLink, type EndedLink } from './ending-link.ts'
import { issuedKinds } from './issued-kinds.ts'
import { IssuerEndpoints } from './issuer-endpoints.ts'
import { registrationStore } from './kept-registrations.ts'
import { LinkFlows } from './link-flows.ts'
import { Links } from './links.ts'
import { personHeaderKind } from './person-header-kind.ts'
import { personSecretKind } from './person-secret-kind.ts'
import { PersonTokens } from './person-tokens.ts'
import { personalAuthOf } from './personal-auth.ts'
import type { SecretVault } from './secret-vault.ts'
import { authorizationOf } from './server-authorization.ts'
import { SignedInSecrets } from './signed-in-tokens.ts'
import { StoredSecrets } from './stored-secrets.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
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
}

export interface OnBehalf {
  /** With what servers are asked, for whomever. */
  readonly credentials: ServerCredentials
  readonly accounts: Accounts
  /** The pages where people connect accounts, and what authorization servers read of this gateway. */
  entrances(signIn: SignIn): readonly BrowserEntrance[]
  /** Nothing that was issued for this person is used any more, and the accounts that he has connected end. Rejects with `store.failed`. */
  shutOut(person: string): Promise<void>
}

export function createOnBehalf(parts: OnBehalfParts): OnBehalf {
  const { clock, secret, vault, snapshot, publicUrl } = parts
  const now = (): number => clock.now()
  const rest = (ms: number): Promise<void> => pause(ms)
  const places = { publicUrl, now, secret }
  const challenges = new KnownChallenges()
  const engine = new AuthorizationCode({
    registrations: new ClientRegistrations(registrationStore(vault), clock),
    documentUrl: () => `${publicUrl()}${clientDocumentPath}`,
    challengeOf: challenges.of,
    clock,
  })
  const links = new Links({ ...parts, renew: (...asked) => engine.renew(...asked), pause: rest })
  const end = (person: string, server: McpServer): Promise<EndedLink> =>
    endLink({ ...parts, revoke: (...asked) => engine.revoke(...asked) }, person, server)
  const secrets = new StoredSecrets(vault, clock)
  const tokens = new PersonTokens(now)
  const issuers = new IssuerEndpoints(clock, (issuer) => guardedFetch({ home: issuer.issuer, allowHttp: issuer.allow_http }))
  const issuerAt = ({ identity }: Pick<Snapshot, 'identity'>, name: string, server: string): Promise<TokenEndpoint> =>
    issuers.at(name, Object.hasOwn(identity.issuers, name) ? identity.issuers[name] : undefined, server)
  const signedIn = new SignedInSecrets({ ...parts, issued: tokens, pause: rest, issuerAt: (name) => issuerAt(snapshot(), name, name) })
  const personal = {
    ...issuedKinds({
      tokens,
      signedIn,
      issuerAt,
      authorizationOf: (server, auth, signal) => authorizationOf(server, auth, signal, challenges.of(server)),
      now,
      secret,
    }),
    user: userKind(links, places),
    person_header: personHeaderKind(secrets, places),
    person_secret: personSecretKind(secrets, places),
  }
  return {
    credentials: createServerCredentials(authKinds({ challengeOf: challenges.of, clock }, personal), challenges),
    accounts: createAccounts({ links, secrets, pause: rest }),
    entrances: (signIn) =>
      connectEntrances({ ...parts, signIn, links, endLink: end, secrets, flows: new LinkFlows(parts.state, clock, secret), engine }),
    async shutOut(person) {
      tokens.cut(person)
      const all = [...snapshot().servers.values()].filter((server) => personalAuthOf(server)?.kind === 'user')
      await Promise.all(all.map((server) => end(person, server)))
    },
  }
}
