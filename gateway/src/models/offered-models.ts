/**
 * Which models an upstream offers, asked with the caller's own provider credential: another credential may see others.
 * Remembered for some minutes; an upstream that fails leaves what it offered last, and never fails a list.
 */
import type { Snapshot, Upstream } from '../config/snapshot.ts'
import { BoundedMap } from '../core/bounded-map.ts'
import type { Clock } from '../core/clock.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import { digestJson } from '../core/hash.ts'
import { isObject } from '../core/json.ts'
import type { Logger } from '../core/logger.ts'
import type { Credential } from '../core/credential.ts'
import type { Caller } from '../core/principal.ts'
import { resolveCredential } from '../identity/credentials.ts'
import type { StoredCredentials } from '../identity/vault/stored-credentials.ts'
import type { ModelsPage, Provider } from '../providers/provider.ts'
import { providers } from '../providers/providers.ts'
import { signRequest } from './building-request.ts'
import { collectBody } from './collecting-body.ts'
import { fixedHeadersOf } from './fixed-headers.ts'
import type { Upstreams } from './upstreams.ts'

const freshMs = 5 * 60_000
/** A failed upstream is asked again sooner, but not by every list. */
const retryMs = 30_000
const longestMs = 5000
const mostRemembered = 256
const mostPages = 10
const mostNames = 2000
const mostBytes = 4 * 1024 * 1024
const longestName = 256

interface Remembered {
  readonly names: readonly string[]
  /** Monotonic milliseconds until which it is not asked again. */
  readonly until: number
}

export class OfferedModels {
  readonly #upstreams: Upstreams
  readonly #credentials: StoredCredentials
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #remembered = new BoundedMap<string, Remembered>({ most: mostRemembered })
  readonly #asking = new Map<string, Promise<readonly string[]>>()

  constructor(upstreams: Upstreams, credentials: StoredCredentials, clock: Clock, logger: Logger) {
    this.#upstreams = upstreams
    this.#credentials = credentials
    this.#clock = clock
    this.#logger = logger
  }

  /** Names the upstream offers this caller; none when it cannot be asked and nothing is remembered. Never rejects. */
  async of(snapshot: Snapshot, caller: Caller, upstream: Upstream): Promise<readonly string[]> {
    const path = providers[upstream.config.kind].modelsPath
    if (path === undefined) return []
    try {
      const { id, credential } = await resolveCredential(snapshot, caller, upstream.name, this.#clock.now(), this.#credentials)
      // A credential that was replaced, or an upstream that moved, is another one.
      const key = digestJson([upstream.name, upstream.config, id, credential])
      const known = this.#remembered.get(key)
      if (known !== undefined && known.until > this.#clock.monotonic()) return known.names
      const asked = this.#asking.get(key) ?? this.#ask(key, upstream, path, credential)
      return await asked
    } catch (error) {
      this.#logger.warn({ upstream: upstream.name, code: asTurnwardError(error).code }, 'the models of an upstream could not be listed')
      return []
    }
  }

  /** Asks once for all who ask meanwhile, and remembers. */
  #ask(key: string, upstream: Upstream, path: string, credential: Credential): Promise<readonly string[]> {
    const asked = this.#fetchAll(upstream, path, credential)
      .then(
        (names): Remembered => ({ names, until: this.#clock.monotonic() + freshMs }),
        (error: unknown): Remembered => {
          this.#logger.warn(
            { upstream: upstream.name, code: asTurnwardError(error).code, why: asTurnwardError(error).why },
            'the models of an upstream could not be listed',
          )
          return { names: this.#remembered.get(key)?.names ?? [], until: this.#clock.monotonic() + retryMs }
        },
      )
      .then((remembered) => {
        this.#remembered.set(key, remembered)
        return remembered.names
      })
      .finally(() => this.#asking.delete(key))
    this.#asking.set(key, asked)
    return asked
  }

  async #fetchAll(upstream: Upstream, path: string, credential: Credential): Promise<readonly string[]> {
    const { parameter } = pageOf(upstream)
    const signal = AbortSignal.timeout(longestMs)
    const names = new Set<string>()
    let after: string | undefined
    for (let page = 0; page < mostPages; page += 1) {
      const paged = after === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}${parameter}=${encodeURIComponent(after)}`
      const listed = await this.#fetchPage(upstream, paged, credential, signal)
      for (const name of listed.names) if (names.size < mostNames) names.add(name)
      if (listed.next === undefined || listed.next === after) break
      after = listed.next
    }
    return [...names]
  }

  async #fetchPage(upstream: Upstream, path: string, credential: Credential, signal: AbortSignal): Promise<ModelsPage> {
    const provider = providers[upstream.config.kind]
    const fixed = fixedHeadersOf(upstream.config)
    const ours = { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'turnward', ...provider.defaultHeaders }
    const headers = [
      ...Object.entries(ours)
        .filter(([name]) => !fixed.names.has(name))
        .flat(),
      ...fixed.flat,
    ]
    const target = { upstream, model: undefined }
    const request = await signRequest({ method: 'GET', path, headers, body: '' }, { target, provider }, credential, this.#clock.now())
    const response = await this.#upstreams.of(upstream).send(request, signal)
    const body = parse((await collectBody(response, mostBytes, upstream.name)).toString('utf8'))
    if (response.status !== 200)
      throw new TurnwardError('upstream.failed', { subject: upstream.name, why: `it answered ${response.status}` })
    const page = isObject(body) ? pageOf(upstream).read(body) : undefined
    if (page === undefined)
      throw new TurnwardError('upstream.malformed', { subject: upstream.name, why: 'its answer is not a list of models' })
    return { names: page.names.filter(isName), next: isName(page.next) ? page.next : undefined }
  }
}

/** As OpenAI and Anthropic list models. */
const usualPage: NonNullable<Provider['modelsPage']> = {
  parameter: 'after_id',
  read({ data, has_more: hasMore, last_id: last }) {
    if (!Array.isArray(data)) return undefined
    const names = data.flatMap((entry) => (isObject(entry) && typeof entry.id === 'string' ? [entry.id] : []))
    return { names, next: hasMore === true && typeof last === 'string' ? last : undefined }
  },
}

function pageOf({ config }: Upstream): NonNullable<Provider['modelsPage']> {
  return providers[config.kind].modelsPage ?? usualPage
}

/** A name a client can ask with. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= longestName && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
