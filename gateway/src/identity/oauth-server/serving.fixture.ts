/** An authorization server on a socket of its own, with people who sign in by a cookie, and a browser that follows and answers. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { oauthSchema } from '@turnward/contract/config/identity/oauth'
import type { Snapshot } from '../../config/snapshot.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { Store } from '../../store/store.ts'
import { html } from '../browser/html.ts'
import type { BrowserSession, SignIn } from '../browser/sign-in.ts'
import { principal, snapshotWith } from '../identity-parts.fixture.ts'
import type { Revocations } from '../revocations.ts'
import type { Presented } from '../ways/way.ts'
import { AuthorizationServer } from './authorization-server.ts'
import { oauthEntrances, type OAuthEntrance } from './oauth-entrances.ts'
import { SigningKeys } from './signing-keys.ts'
import { createOwnTokenWay } from './own-token-way.ts'
import { createOwnTokens } from './own-tokens.ts'

export interface TestServer extends AsyncDisposable {
  readonly url: string
  readonly snapshot: Snapshot
  /** Who a request with this token is, at this path. */
  whoIs(token: string, path: string, more?: Partial<Presented> & { readonly scheme?: string }): Promise<unknown>
  /** The same configuration at another replica. */
  another(): Promise<TestServer>
}

export interface TestServerParts {
  readonly store: Store
  readonly state: StateStore
  readonly config: object
  readonly clock?: Clock
  /** People who are not known any more. */
  readonly gone?: ReadonlySet<string>
}

/** People sign in by going to `/sign-in?as=NAME`; every session is as new as the request. */
export async function startServer(parts: TestServerParts, publicUrl?: string): Promise<TestServer> {
  const { store, state, config, clock = systemClock, gone = new Set() } = parts
  const http = createServer()
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const own = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const url = publicUrl ?? own
  const snapshot = {
    ...snapshotWith({
      principals: new Map(['alice', 'bob', 'ci'].map((name) => [name, principal(name)])),
    }),
    settings: { listen: { ignore_credential_headers: [], public_url: url } },
    identity: { issuers: {}, oauth: oauthSchema.parse(config) },
    gateways: new Map([['work', {}]]),
  } as unknown as Snapshot
  const ended = new Set<string>()
  const revocations: Pick<Revocations, 'revoke' | 'revokedAt'> = {
    revoke: async (_kind, id) => void ended.add(id),
    revokedAt: (_kind, id) => (ended.has(id) ? clock.now() : undefined),
  }
  const keys = new SigningKeys({ table: store.oauthKeys, secret: store.secret, clock })
  const server = new AuthorizationServer({
    state,
    keys,
    secret: store.secret,
    clock,
    logger: silentLogger,
    signIn: cookieSignIn,
    isKnown: async ({ person }) => snapshot.principals.has(person) && !gone.has(person),
    revocations,
    usable: async () => ({ models: ['gpt-test'], gateways: [{ name: 'work', tools: ['jira__read'], missing: [] }] }),
  })
  const table: readonly OAuthEntrance[] = oauthEntrances({ snapshot: () => snapshot, server: async () => server })
  http.on('request', (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    const found =
      table.find((entrance) => entrance.path === path) ??
      table.find((entrance) => entrance.path.endsWith('{rest...}') && path.startsWith(entrance.path.slice(0, -'{rest...}'.length)))
    const parameter = found === undefined || !found.path.includes('{') ? '' : path.slice(found.path.indexOf('{'))
    if (found === undefined) return void response.writeHead(404).end()
    Promise.resolve()
      .then(() => found.handle(request, response, parameter))
      .catch((error: unknown) => response.writeHead(error instanceof TurnwardError ? error.status : 500).end(String(error)))
  })
  const tokens = createOwnTokens({
    clock,
    keys,
    principalOf: ({ person }) => {
      const known = gone.has(person) ? undefined : snapshot.principals.get(person)
      if (known === undefined) throw new TurnwardError('auth.unknown_key')
      return known
    },
    revocations,
    proofs: { state, clock },
  })
  const way = createOwnTokenWay({ ownTokens: async () => tokens })
  return {
    url: own,
    snapshot,
    whoIs: async (token, path, { scheme = 'Bearer', headers, ...more } = {}) =>
      way.find({ headers: { authorization: `${scheme} ${token}`, ...headers }, method: 'POST', url: path, ...more }, snapshot),
    another: () => startServer(parts, url),
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

const cookieSignIn: SignIn = {
  async current({ headers }) {
    const [, person, at] = /(?:^|; )person=(\w+)\.(\d+)/.exec(headers.cookie ?? '') ?? []
    if (person === undefined) return undefined
    return { id: person, person, issuer: null, signedInAt: Number(at), roles: [] } satisfies BrowserSession
  },
  startPath: (returnTo, options) => `/sign-in?return=${encodeURIComponent(returnTo)}${options?.fresh === true ? '&fresh' : ''}`,
  csrfField: ({ id }) => html`<input type="hidden" name="form" value="of-${id}" />`,
  checkCsrf(_request, form, { id }) {
    if (form.get('form') !== `of-${id}`) throw new TurnwardError('auth.insufficient_scope', { why: 'a form of somebody else' })
  },
}

/** Follows redirects as a browser does, with cookies; signs in as whoever it was told. */
export class TestBrowser {
  readonly #cookies = new Map<string, string>()
  #as: string

  constructor(as: string) {
    this.#as = as
  }

  /** Goes on as another person. */
  become(person: string): void {
    this.#as = person
    this.#cookies.delete('person')
  }

  signOut(): void {
    this.#cookies.delete('person')
  }

  /** Where a visit ends: a page, or an address that is not the server's. */
  async visit(address: string, form?: Readonly<Record<string, string>>): Promise<Visited> {
    let url = new URL(address)
    const { origin } = url
    let body = form === undefined ? undefined : new URLSearchParams(form)
    for (let step = 0; step < 20; step += 1) {
      if (url.origin !== origin) return { url, status: 0, text: '', headers: new Headers() }
      if (url.pathname === '/sign-in') {
        this.#cookies.set('person', `${this.#as}.${Date.now()}`)
        url = new URL(url.searchParams.get('return') ?? '/', origin)
        continue
      }
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await fetch(url, {
        method: body === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        headers: { accept: 'text/html', ...(cookie === '' ? {} : { cookie }), ...(body === undefined ? {} : { origin }) },
        ...(body === undefined ? {} : { body }),
      })
      this.#keep(response.headers.getSetCookie())
      const text = await response.text()
      const next =
        response.headers.get('location') ?? /http-equiv="refresh" content="0;url=([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&')
      if (next === undefined) return { url, status: response.status, text, headers: response.headers }
      url = new URL(next, url)
      body = undefined
    }
    throw new Error('it never ends')
  }

  /** Answers the form of a page with one of its buttons. */
  answer({ url, text }: Visited, choice: Readonly<Record<string, string>>): Promise<Visited> {
    const action = /<form[^>]* action="([^"]+)"/.exec(text)?.[1]
    if (action === undefined) throw new Error(`there is no form at ${url.href}: ${text}`)
    const hidden = [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(
      ([, name, value]) => [name, value] as const,
    )
    return this.visit(new URL(action, url).href, { ...Object.fromEntries(hidden), ...choice })
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
  }
}

export interface Visited {
  readonly url: URL
  readonly status: number
  readonly text: string
  readonly headers: Headers
}
