/** The issuers of the running configuration with their keys. What is known of one stays when a new configuration asks it the same. */
import type { Snapshot } from '../../../config/snapshot.ts'
import type { Clock } from '../../../core/clock.ts'
import { digestJson } from '../../../core/hash.ts'
import type { Issuer } from '../../../core/issuer.ts'
import type { Logger } from '../../../core/logger.ts'
import { guardedFetch, type GuardedFetch } from '../../guarded-fetch.ts'
import { IssuerKeys, type IssuerStatus, type KeysEvent } from './issuer-keys.ts'
import { askForKeys } from './issuer-metadata.ts'

export interface IssuersOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly count: (issuer: string, event: KeysEvent) => void
  /** For tests of what an issuer may say. */
  readonly fetchFor?: (issuer: Issuer) => GuardedFetch
}

export class Issuers {
  readonly #options: IssuersOptions
  /** By everything that decides what is asked and how long it counts. */
  #keys = new Map<string, IssuerKeys>()
  readonly #byAddress = new WeakMap<Snapshot['issuers'], ReadonlyMap<string, Issuer>>()

  constructor(options: IssuersOptions) {
    this.#options = options
  }

  /** The issuer that a token with this `iss` is of; undefined where it is of none. */
  called(address: unknown, { issuers }: Pick<Snapshot, 'issuers'>): Issuer | undefined {
    let byAddress = this.#byAddress.get(issuers)
    if (byAddress === undefined) {
      byAddress = new Map([...issuers.values()].map((issuer) => [issuer.issuer, issuer]))
      this.#byAddress.set(issuers, byAddress)
    }
    return typeof address === 'string' ? byAddress.get(address) : undefined
  }

  keysOf(issuer: Issuer): IssuerKeys {
    const id = idOf(issuer)
    let keys = this.#keys.get(id)
    if (keys === undefined) {
      keys = this.#open(issuer)
      this.#keys.set(id, keys)
    }
    return keys
  }

  /** Begins to ask those that are new, so that it is known early which of them cannot be reached, and forgets those that are gone. */
  follow({ issuers }: Pick<Snapshot, 'issuers'>): void {
    const kept = new Map<string, IssuerKeys>()
    for (const issuer of issuers.values()) {
      const keys = this.keysOf(issuer)
      kept.set(idOf(issuer), keys)
      // Whoever needs its keys is told.
      if (keys.status().state === 'unknown') keys.metadata().catch(() => {})
    }
    this.#keys = kept
  }

  /** How each of them is. */
  statuses({ issuers }: Pick<Snapshot, 'issuers'>): readonly IssuerStatus[] {
    return [...issuers.values()].map((issuer) => this.keysOf(issuer).status())
  }

  #open(issuer: Issuer): IssuerKeys {
    const { clock, logger, count, fetchFor } = this.#options
    const fetch = (fetchFor ?? guardedFetchFor)(issuer)
    let hasFailed = false
    return new IssuerKeys({
      issuer,
      clock,
      ask: (of) => askForKeys(of, fetch),
      onEvent: (event, why) => {
        count(issuer.name, event)
        if (event === 'failed' && !hasFailed) logger.warn({ issuer: issuer.name, why }, 'the keys of an issuer cannot be had')
        if (event === 'fetched' && hasFailed) logger.info({ issuer: issuer.name }, 'the keys of an issuer can be had again')
        hasFailed = event === 'failed'
      },
    })
  }
}

/** Its configured address is the administrator's choice; what its metadata names besides must be public. */
export function guardedFetchFor({ issuer, discovery, jwksUri, allowHttp }: Issuer): GuardedFetch {
  return guardedFetch({ home: discovery ?? jwksUri ?? issuer, allowHttp })
}

function idOf({ name, issuer, discovery, jwksUri, allowHttp, jwksStaleMs }: Issuer): string {
  return digestJson([name, issuer, discovery ?? null, jwksUri ?? null, allowHttp, jwksStaleMs])
}
