/**
 * A way to authenticate: a check over what a request presents and a snapshot, with key material of its own. Each ends in the same
 * identity, and knows nothing of the others.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Principal, Scope, Within } from '../../core/principal.ts'
import type { SubjectToken } from '../../core/subject-token.ts'

/** What a request shows of whoever makes it. */
export interface Presented {
  readonly headers: IncomingHttpHeaders
  /** Where its connection comes from; undefined for what has none. */
  readonly hop?: Hop | undefined
  readonly method?: string | undefined
  /** The path with its query, as it was asked for. */
  readonly url?: string | undefined
}

/** The other end of a connection. */
export interface Hop {
  /** Address of the peer, as the socket has it. */
  readonly address: string
  /** Its certificate, where one was shown and an authority that is trusted for it has signed it. */
  readonly certificate?: HopCertificate | undefined
}

export interface HopCertificate {
  /** `DNS:edge.acme.example`, `URI:spiffe://acme/ns/ai/sa/agent`, `email:…`, `IP:…` */
  readonly names: readonly string[]
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string
  /** Unix milliseconds: a connection may last longer. */
  readonly expires: number
}

export type WayName = 'key' | 'token' | 'edge' | 'certificate'

/** Who somebody is by one way. The same object as long as nothing has changed: what is made of it is remembered by it. */
export interface Identity {
  readonly way: WayName
  readonly principal: Principal
  readonly id: string
  readonly issuer: string | null
  readonly consumer: string | null
  readonly actors: readonly string[]
  readonly scopes: readonly Scope[] | null
  readonly expires: number | null
  readonly claims: Readonly<Record<string, unknown>>
  readonly credentials: ReadonlyMap<string, string>
  readonly subject?: SubjectToken
  readonly within?: Within
  readonly later: string
  /** Somebody whom an edge let through without knowing who it is: restricts whoever is named besides, and names no one. */
  readonly isAnonymous?: true
}

export interface Way {
  readonly name: WayName
  /** Undefined where the request shows nothing of this way. Throws, or rejects with, `auth.*` where what it shows is no good. */
  find(presented: Presented, snapshot: Snapshot): Identity | undefined | Promise<Identity | undefined>
  /** Why a request that shows something of this way is nobody's by it; for one that is nobody's by any way. */
  whyNothing?(presented: Presented, snapshot: Snapshot): string | undefined
  /** Who `later` of an identity of this way means now; undefined where it is not of this way. */
  findLater?(later: string, snapshot: Snapshot): Promise<Identity | undefined>
}
