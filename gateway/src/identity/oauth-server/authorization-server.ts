/**
 * Our OAuth 2.1 authorization server: `oidc-provider`, made anew for every configuration and every set of keys, with our pages,
 * our sign-in and our store around it. Whatever the request says of hosts and proxies is replaced by the public URL before
 * anything reads it. Loaded when the first request needs it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OAuthConfig } from '@turnward/contract/config/identity/oauth'
import { errors, Provider, type KoaContextWithOIDC } from 'oidc-provider'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { StateStore } from '../../state/state-store.ts'
import { onPages } from '../browser/entrance.ts'
import { html } from '../browser/html.ts'
import { answerPage, type Page } from '../browser/page.ts'
import type { SignIn } from '../browser/sign-in.ts'
import type { Revocations } from '../revocations.ts'
import { accountId, type Account } from './account.ts'
import { tokenIdOf } from './own-token-way.ts'
import type { InboundAssertions } from './inbound-assertions.ts'
import { registerAssertionGrants } from './assertion-grants.ts'
import { nameOf, type Asked, type Usable } from './consent-page.ts'
import { answerInteraction } from './interactions.ts'
import { codePage, confirmCodePage, deviceDonePage, deviceRefusedPage, errorPage } from './plain-pages.ts'
import {
  interactionPath,
  oauthRoutes,
  providerConfiguration,
  scopesOfClient,
  type Pages,
  type ProviderParts,
} from './provider-configuration.ts'
import { allScopes } from './resources.ts'
import type { SigningKeys, SigningKeySet } from './signing-keys.ts'
import { storedModels } from './stored-models.ts'

export interface AuthorizationServerParts {
  readonly state: Pick<StateStore, 'get' | 'put' | 'change' | 'flush'>
  /** What tokens are signed with. */
  readonly keys: SigningKeys
  /** The secret of the installation. */
  readonly secret: Buffer
  readonly clock: Clock
  readonly logger: Logger
  readonly signIn: SignIn
  /** Whether a person may still get tokens. */
  readonly isKnown: (account: Account, snapshot: Snapshot) => Promise<boolean>
  readonly revocations: Pick<Revocations, 'revoke' | 'revokedAt'>
  /** What issuers of the configuration say of people; without it nothing of theirs is taken. */
  readonly assertions?: InboundAssertions
  /** What a person can use of what a client asks for. */
  readonly usable: (account: Account, asked: Asked, snapshot: Snapshot) => Promise<Usable>
}

/** One configuration, as the server runs it. */
export interface Serving {
  readonly config: OAuthConfig
  readonly publicUrl: string
  readonly snapshot: Snapshot
}

interface Made {
  readonly revision: string
  readonly provider: Provider
  readonly callback: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

/** Where a browser begins: a session counts only while the same person is signed in. Once begun, it is bound to the interaction. */
const beginning = /^\/oauth\/(?:authorize|device)(?:\?|$)/
const consentModel = 'Consent'
/** An access token that was given out is no longer good after that. */
const longestTokenMs = 25 * 3600 * 1000

export class AuthorizationServer {
  readonly #parts: AuthorizationServerParts
  readonly #made = new WeakMap<Snapshot, Made>()
  /** Account of the browser whose request is being answered. */
  readonly #account = new AsyncLocalStorage<string | null>()
  readonly #adapter: ReturnType<typeof storedModels>
  /** Pages to be shown when `oidc-provider` has done its part. */
  readonly #pages = new WeakMap<IncomingMessage, { readonly status: number; readonly page: Page }>()

  constructor(parts: AuthorizationServerParts) {
    this.#parts = parts
    this.#adapter = storedModels({
      ...parts,
      accountNow: () => this.#account.getStore(),
      grantEnded: (grant) => parts.revocations.revoke('token', tokenIdOf(grant), parts.clock.now() + longestTokenMs),
      refuse: (why) => (why === 'used' ? new errors.InvalidGrant('it was used already') : new errors.InvalidRequest('it was shown before')),
    })
  }

  /** Answers a request below `/oauth`, or for the metadata of the server. */
  async handle(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
    settleHost(request, serving.publicUrl)
    response.setHeader('x-frame-options', 'DENY')
    response.setHeader('content-security-policy', "frame-ancestors 'none'")
    response.setHeader('x-content-type-options', 'nosniff')
    response.setHeader('referrer-policy', 'same-origin')
    const { provider, callback } = await this.#providerOf(serving)
    const path = request.url ?? '/'
    if (path.startsWith(interactionPath)) {
      const answer = onPages(() => this.#answerInteraction(serving, provider, request, response), this.#parts.logger)
      return answer(request, response, '')
    }
    if (beginning.test(path)) {
      const session = await this.#parts.signIn.current(request)
      await this.#account.run(session === undefined ? null : accountId(session), () => callback(request, response))
    } else await callback(request, response)
    const shown = this.#pages.get(request)
    if (shown !== undefined) answerPage(response, shown.status, shown.page)
  }

  #answerInteraction(serving: Serving, provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { config, publicUrl, snapshot } = serving
    const uid = (request.url ?? '').slice(interactionPath.length).split('?', 1)[0] ?? ''
    const { signIn, usable } = this.#parts
    return answerInteraction(
      {
        provider,
        publicUrl,
        signIn,
        login: config.login,
        isConfigured: (client) => Object.hasOwn(config.clients, client),
        mayHave: (client) => scopesOfClient(config, client),
        usable: (account, asked) => usable(account, asked, snapshot),
        remember: async (account, client, grantId) => {
          await this.#adapter(consentModel).upsert(`${client} ${account}`, { grantId }, config.lifetimes.consent_seconds)
        },
      },
      request,
      response,
      uid,
    )
  }

  async #providerOf(serving: Serving): Promise<Made> {
    const { snapshot, config } = serving
    const keys = await this.#parts.keys.current(config.keys)
    const known = this.#made.get(snapshot)
    if (known?.revision === keys.revision) return known
    const provider = this.#makeProvider(serving, keys)
    const made = { revision: keys.revision, provider, callback: provider.callback() as Made['callback'] }
    this.#made.set(snapshot, made)
    return made
  }

  #makeProvider({ config, publicUrl, snapshot }: Serving, keys: SigningKeySet): Provider {
    const { secret, isKnown, logger, revocations } = this.#parts
    const isRevoked = (person: string, since: number): boolean => (revocations.revokedAt('person', person) ?? 0) > since
    const pages = this.#pagesOf()
    const configured: ProviderParts = {
      config,
      publicUrl,
      keys,
      secret,
      adapter: this.#adapter,
      isKnown: async (account, since) => !isRevoked(account.person, since) && (await isKnown(account, snapshot)),
      hasGateway: (name) => snapshot.gateways.has(name),
      grantBefore: async (ctx) => {
        const id = ctx.oidc.result?.consent?.grantId ?? (await this.#rememberedGrant(ctx))
        return id === undefined ? undefined : ctx.oidc.provider.Grant.find(id)
      },
      pages,
    }
    const provider = new Provider(publicUrl, providerConfiguration(configured))
    if (this.#parts.assertions !== undefined)
      registerAssertionGrants(provider, { parts: configured, assertions: this.#parts.assertions, snapshot })
    // What a proxy says was replaced by what is configured.
    provider.proxy = true
    const failures: EventEmitter = provider
    failures.on('error', (error: unknown) => logger.error({ err: error }, 'the authorization server failed'))
    failures.on('server_error', (_ctx: unknown, error: unknown) => logger.error({ err: error }, 'the authorization server failed'))
    provider.use(async (ctx, next) => {
      await next()
      const koa = ctx as KoaContextWithOIDC
      if (ctx.path.startsWith('/.well-known/') && typeof ctx.body === 'object' && ctx.body !== null)
        Object.assign(ctx.body, { scopes_supported: allScopes, service_documentation: undefined })
      // A page of the library's own, which sends a form by a script: a person looks at the code first.
      const code = ctx.query['user_code']
      if (ctx.method === 'GET' && ctx.path === oauthRoutes.code_verification && typeof code === 'string' && ctx.status === 200)
        return pages.askForCode(koa, { wasWrong: false, code })
      const location = ctx.response.get('location')
      if (ctx.method !== 'POST' || ctx.status !== 303 || location === '') return
      // The page of the form says that it leads nowhere else, and signing in may.
      this.#show(koa, 200, { title: 'One moment', body: html`<p>You are sent on.</p>`, onward: location })
    })
    return provider
  }

  async #rememberedGrant(ctx: KoaContextWithOIDC): Promise<string | undefined> {
    const { account, client } = ctx.oidc
    if (account === undefined || client === undefined) return undefined
    const found = await this.#adapter(consentModel).find(`${client.clientId} ${account.accountId}`)
    return found?.grantId
  }

  #show(ctx: KoaContextWithOIDC, status: number, page: Page): void {
    this.#pages.set(ctx.req, { status, page })
    // Of the answer that is replaced.
    for (const name of ['content-length', 'content-type', 'location']) ctx.remove(name)
    ctx.respond = false
  }

  #pagesOf(): Pages {
    const secretOf = (ctx: KoaContextWithOIDC): string => {
      const secret = ctx.oidc.session?.state?.['secret']
      return typeof secret === 'string' ? secret : ''
    }
    return {
      error: (ctx, out) => this.#show(ctx, 400, errorPage(out)),
      askForCode: (ctx, { wasWrong, code }) => this.#show(ctx, wasWrong ? 400 : 200, codePage(secretOf(ctx), wasWrong, code)),
      confirmCode: (ctx, client, code) =>
        this.#show(ctx, 200, confirmCodePage(secretOf(ctx), nameOf({ id: client.clientId, name: client.clientName }), code)),
      deviceDone: (ctx) => this.#show(ctx, 200, deviceDonePage),
      deviceRefused: (ctx) => this.#show(ctx, 200, deviceRefusedPage),
    }
  }
}

/** Everything that is derived from a request is derived from the public URL. */
function settleHost(request: IncomingMessage, publicUrl: string): void {
  const { host, protocol } = new URL(publicUrl)
  for (const name of ['forwarded', 'x-forwarded-host', 'x-forwarded-for', 'x-forwarded-port']) delete request.headers[name]
  request.headers.host = host
  request.headers['x-forwarded-proto'] = protocol.slice(0, -1)
}
