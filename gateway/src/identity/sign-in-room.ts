/** Signing in with a browser, put together: sessions, issuers, local accounts, and the entrances of their pages. */
import type { Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Store } from '../store/store.ts'
import type { AccountAnswers } from './accounts/answering-accounts.ts'
import { Cookies } from './browser/cookies.ts'
import { onPages, type BrowserEntrance, type BrowserHandler } from './browser/entrance.ts'
import { loginIssuers, type LoginIssuer } from './browser/oidc/login-issuer.ts'
import { keepIssuerTokens } from './browser/oidc/kept-tokens.ts'
import { RelyingParties } from './browser/oidc/relying-parties.ts'
import { pageEntrance } from './browser/page.ts'
import { BrowserSessions } from './browser/sessions.ts'
import type { ScriptSessions, SignIn } from './browser/sign-in.ts'
import { SigningIn } from './browser/signing-in.ts'
import { standingOf } from './browser/standing.ts'
import type { People } from './people/people.ts'
import type { Vault } from './vault/vault.ts'
import { namedPerson } from './ways/token/named-caller.ts'

export interface SignInRoomParts {
  readonly snapshot: () => Snapshot
  /** What browsers reach us under. */
  readonly publicUrl: () => string
  readonly state: StateStore
  readonly store: Pick<Store, 'accounts' | 'people' | 'revocations' | 'secret'>
  readonly people: People
  readonly vault: Vault
  readonly clock: Clock
  readonly logger: Logger
}

export interface SignInRoom {
  readonly signIn: SignIn & ScriptSessions
  readonly entrances: readonly BrowserEntrance[]
}

export function createSignInRoom(parts: SignInRoomParts): SignInRoom {
  const { snapshot, publicUrl, state, store, people, vault, clock, logger } = parts
  const settings = (): Snapshot['identity']['sign_in'] => snapshot().identity.sign_in
  const { secret } = store
  const sessions = new BrowserSessions({
    state,
    clock,
    secret,
    lifetimes: () => ({ idleMs: settings().idle_ms, longestMs: settings().session_ms }),
    cookies: () => new Cookies(publicUrl()),
    rolesOf: (session) => standingOf({ people, store, snapshot, clock }, session),
  })
  const isOffered = (): boolean => settings().local
  const needsCode = (): boolean => settings().totp === 'required'
  const relyingParties = new RelyingParties(clock)
  const issuers = (): ReadonlyMap<string, LoginIssuer> => loginIssuers(snapshot().issuers)
  const signingIn = new SigningIn({
    sessions,
    relyingParties,
    clock,
    secret,
    publicUrl,
    issuers,
    hasAccounts: isOffered,
    personOf: async (issuer, claims) => (await people.principalOf(namedPerson(claims, issuer), snapshot())).id,
    keepTokens: (person, issuer, tokens) => keepIssuerTokens(vault, person, issuer, tokens),
  })
  let accounts: Promise<AccountAnswers> | undefined
  const openAccounts = async (): Promise<AccountAnswers> => {
    const [{ Accounts }, answering] = await Promise.all([import('./accounts/accounts.ts'), import('./accounts/answering-accounts.ts')])
    return new answering.AccountAnswers({ accounts: new Accounts({ store, state, clock, needsCode }), signingIn, isOffered, needsCode })
  }
  // Most gateways have no accounts of their own.
  const answers = (): Promise<AccountAnswers> => (accounts ??= openAccounts())
  const entrance = (method: string, path: string, handle: BrowserHandler): BrowserEntrance => ({
    path,
    methods: [method],
    needs: 'browser',
    handle: onPages(handle, logger),
  })
  return {
    signIn: signingIn,
    entrances: [
      pageEntrance,
      entrance('GET', '/sign-in', (request, response) => signingIn.answerStart(request, response)),
      entrance('POST', '/sign-in', async (request, response) => (await answers()).answerSignIn(request, response)),
      entrance('GET', '/sign-in/{issuer}', (request, response, issuer) => signingIn.answerIssuer(request, response, issuer)),
      entrance('GET', '/sign-in/{issuer}/callback', (request, response, issuer) => signingIn.answerCallback(request, response, issuer)),
      entrance('POST', '/sign-out', (request, response) => signingIn.answerSignOut(request, response)),
      entrance('GET', '/set-password/{token}', async (request, response, token) => (await answers()).answerLink(request, response, token)),
      entrance('POST', '/set-password/{token}', async (request, response, token) => (await answers()).answerSet(request, response, token)),
    ],
  }
}
