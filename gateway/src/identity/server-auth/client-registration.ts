/**
 * As which client the gateway comes to an authorization server: one that was registered beforehand, else its document, else one
 * that registers itself. What an authorization server gave out is kept under its issuer and shown to nobody else.
 */
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { sha256 } from '../../core/hash.ts'
import { clientMetadata, isFetchable } from './client-document.ts'
import { ask, NotReached, type Reach, type Resolve } from './reaching.ts'
import type { IssuerMetadata } from './issuer-metadata.ts'
import type { ServerAuthOf } from './auth-kind.ts'
import type { ClientProof } from '../on-behalf/client-authentication.ts'

/** The gateway as one authorization server knows it. */
export interface KnownClient extends ClientProof {
  readonly id: string
  readonly from: 'configured' | 'document' | 'registered'
}

/** Where registrations are kept, sealed. `key` names an issuer and where browsers come back to. */
export interface RegistrationStore {
  get(key: string): Promise<string | undefined>
  put(key: string, content: string): Promise<void>
  remove(key: string): Promise<void>
}

export interface RegistrationQuestion {
  readonly auth: Pick<ServerAuthOf<'user'>, 'clients' | 'registration' | 'client_metadata_url'>
  readonly issuer: IssuerMetadata
  readonly redirectUri: string
  /** Address of the document that the gateway serves. */
  readonly documentUrl: string
  readonly reach: Reach
  readonly signal: AbortSignal
}

const answerSchema = z.object({
  client_id: z.string().min(1).max(2048),
  client_secret: z.string().min(1).max(4096).optional(),
  client_secret_expires_at: z.number().optional(),
  token_endpoint_auth_method: z.string().max(64).optional(),
})

const keptSchema = z.object({
  id: z.string(),
  secret: z.string().optional(),
  auth: z.enum(['basic', 'post', 'none']),
  /** Unix seconds; 0: never. */
  expires: z.number(),
})

const methodNames: Readonly<Record<string, 'basic' | 'post' | 'none'>> = {
  client_secret_basic: 'basic',
  client_secret_post: 'post',
  none: 'none',
}
/** In the order in which they are wanted. */
const methods = ['client_secret_basic', 'client_secret_post', 'none'] as const

export class ClientRegistrations {
  readonly #store: RegistrationStore
  readonly #clock: Pick<Clock, 'now'>
  readonly #resolve: Resolve | undefined
  /** By key: whoever comes meanwhile waits for the same registration. */
  readonly #registering = new Map<string, Promise<KnownClient>>()

  constructor(store: RegistrationStore, clock: Pick<Clock, 'now'>, resolve?: Resolve) {
    this.#store = store
    this.#clock = clock
    this.#resolve = resolve
  }

  /** The client for an issuer. Rejects with a `NotReached` that says what an administrator can do. */
  async client(question: RegistrationQuestion): Promise<KnownClient> {
    const { auth, issuer, redirectUri, documentUrl } = question
    const configured = auth.clients.find((client) => client.issuer === issuer.issuer)
    if (configured !== undefined) return { ...configured, from: 'configured' }
    const document = auth.client_metadata_url ?? documentUrl
    const isDocumentUsable = issuer.client_id_metadata_document_supported === true && isFetchable(document)
    for (const way of auth.registration) {
      if (way === 'cimd' && isDocumentUsable) return { id: document, auth: 'none', from: 'document' }
      if (way === 'dcr' && issuer.registration_endpoint !== undefined) return this.#registered(issuer.registration_endpoint, question)
    }
    throw new NotReached(
      `the authorization server \`${issuer.issuer}\` lets the gateway make itself known in no way that is allowed here; register a client there, with \`${redirectUri}\` as its redirect URI, and name it under \`clients\``,
    )
  }

  /** The client that was used before, if it is still known. */
  async known(
    question: Omit<RegistrationQuestion, 'reach' | 'signal' | 'issuer'> & { readonly issuer: Pick<IssuerMetadata, 'issuer'> },
    id: string,
  ): Promise<KnownClient | undefined> {
    const { auth, issuer, redirectUri, documentUrl } = question
    const configured = auth.clients.find((client) => client.issuer === issuer.issuer)
    if (configured !== undefined) return configured.id === id ? { ...configured, from: 'configured' } : undefined
    if (id === (auth.client_metadata_url ?? documentUrl)) return { id, auth: 'none', from: 'document' }
    const kept = await this.#kept(keyOf(issuer.issuer, redirectUri))
    return kept?.id === id ? kept : undefined
  }

  /** An authorization server no longer knows what it gave out: the next to come registers again. */
  async forget(issuer: string, redirectUri: string): Promise<void> {
    await this.#store.remove(keyOf(issuer, redirectUri))
  }

  async #registered(endpoint: string, question: RegistrationQuestion): Promise<KnownClient> {
    const key = keyOf(question.issuer.issuer, question.redirectUri)
    const kept = await this.#kept(key)
    if (kept !== undefined) return kept
    const running = this.#registering.get(key) ?? this.#register(endpoint, key, question).finally(() => this.#registering.delete(key))
    this.#registering.set(key, running)
    return running
  }

  async #register(endpoint: string, key: string, { issuer, redirectUri, reach, signal }: RegistrationQuestion): Promise<KnownClient> {
    const supported = issuer.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const method = methods.find((each) => supported.includes(each)) ?? 'none'
    const response = await ask(
      endpoint,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...clientMetadata(redirectUri), token_endpoint_auth_method: method }),
        signal,
      },
      reach,
      this.#resolve,
    )
    if (response.status !== 201 && response.status !== 200)
      throw new NotReached(
        `the authorization server \`${issuer.issuer}\` does not register the gateway (HTTP ${response.status}); register it by hand and name it under \`clients\``,
      )
    const read = answerSchema.safeParse(await response.json().catch(() => undefined))
    if (!read.success) throw new NotReached('what the authorization server registered cannot be read')
    const { client_id: id, client_secret: secret, client_secret_expires_at: expires = 0, token_endpoint_auth_method: given } = read.data
    // What it says counts; without a secret there is nothing to show.
    const auth = secret === undefined ? 'none' : (methodNames[given ?? method] ?? 'basic')
    const kept = { id, ...(secret === undefined ? {} : { secret }), auth, expires }
    await this.#store.put(key, JSON.stringify(kept))
    return clientOf(kept)
  }

  async #kept(key: string): Promise<KnownClient | undefined> {
    const content = await this.#store.get(key)
    const read = content === undefined ? undefined : keptSchema.safeParse(parsed(content)).data
    if (read === undefined || (read.expires !== 0 && read.expires * 1000 <= this.#clock.now())) return undefined
    return clientOf(read)
  }
}

function clientOf({ id, secret, auth }: z.output<typeof keptSchema>): KnownClient {
  return { id, secret: auth === 'none' ? undefined : secret, auth, from: 'registered' }
}

/** An issuer is told of one place only that browsers come back to, so another place is another client. */
function keyOf(issuer: string, redirectUri: string): string {
  return sha256(JSON.stringify([issuer, redirectUri]))
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}
