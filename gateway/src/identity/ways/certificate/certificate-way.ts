/** The way of certificates: a client that an authority of `listen.tls.client_ca` vouches for is whom the names in its certificate mean. */
import type { Config } from '@turnward/contract/config'
import type { Snapshot } from '../../../config/snapshot.ts'
import { BoundedMap } from '../../../core/bounded-map.ts'
import type { Clock } from '../../../core/clock.ts'
import { TurnwardError } from '../../../core/error.ts'
import type { Principal } from '../../../core/principal.ts'
import type { People } from '../../people/people.ts'
import { trustedEdges } from '../edge/trusted-edges.ts'
import type { HopCertificate, Identity, Way } from '../way.ts'
import { compileCertificateNames, type NameMatcher } from './certificate-names.ts'

type Entry = Config['identity']['certificates'][string]

export interface CertificateWayOptions {
  readonly people: Pick<People, 'principal' | 'principalOf'>
  readonly clock: Clock
}

interface Meant {
  readonly entry: Entry
  readonly name: string
  /** The name in the certificate. */
  readonly text: string
}

const mostRemembered = 10_000
const compiled = new WeakMap<
  Snapshot['identity'],
  readonly { readonly name: string; readonly entry: Entry; readonly find: NameMatcher }[]
>()

export function createCertificateWay({ people, clock }: CertificateWayOptions): Way {
  const identities = new BoundedMap<string, Identity>({ most: mostRemembered })

  async function identify({ entry, name, text }: Meant, certificate: HopCertificate, snapshot: Snapshot): Promise<Identity> {
    const id = `certificate:${certificate.fingerprint.slice(0, 16)}`
    if (clock.now() >= certificate.expires)
      throw new TurnwardError('auth.expired_key', { subject: id, why: 'the client certificate has expired' })
    const principal = await principalOf(entry, text, snapshot)
    const key = `${name} ${certificate.fingerprint}`
    const known = identities.get(key)
    if (known?.principal === principal && known.consumer === (entry.consumer ?? null) && known.actors[0] === entry.actor) return known
    const identity: Identity = {
      way: 'certificate',
      principal,
      id,
      issuer: entry.issuer ?? 'certificate',
      consumer: entry.consumer ?? null,
      actors: entry.actor === undefined ? [] : [entry.actor],
      scopes: null,
      expires: certificate.expires,
      claims: {},
      credentials: new Map(),
      later: `certificate:${name}:${principal.id}`,
    }
    identities.set(key, identity)
    return identity
  }

  function principalOf(
    { principal, issuer = 'certificate', kind, provision }: Entry,
    text: string,
    snapshot: Snapshot,
  ): Principal | Promise<Principal> {
    if (principal !== undefined) return people.principal(principal, snapshot)
    const emails = text.includes('@') ? [text] : []
    return people.principalOf({ issuer, subject: text, user: text, emails, groups: [], kind, provision }, snapshot)
  }

  return {
    name: 'certificate',
    find({ hop }, snapshot) {
      const certificate = hop?.certificate
      if (certificate === undefined) return undefined
      // That of an edge says where a request comes from, and not from whom.
      if (trustedEdges(snapshot).some((edge) => edge.hasCertificate(hop))) return undefined
      const meant = meantBy(certificate, snapshot)
      return meant && identify(meant, certificate, snapshot)
    },
    async findLater(later, snapshot) {
      const [, name = '', id = ''] = /^certificate:([^:]+):(.+)$/s.exec(later) ?? []
      const entry = Object.hasOwn(snapshot.identity.certificates, name) ? snapshot.identity.certificates[name] : undefined
      if (entry === undefined) return undefined
      const principal = await people.principal(id, snapshot)
      return {
        way: 'certificate',
        principal,
        id: `certificate:${name}`,
        issuer: entry.issuer ?? 'certificate',
        consumer: entry.consumer ?? null,
        actors: entry.actor === undefined ? [] : [entry.actor],
        scopes: null,
        expires: null,
        claims: {},
        credentials: new Map(),
        later,
      }
    },
  }
}

/** Whom a certificate means; undefined for nobody here. Throws `auth.two_identities` where it could be several. */
function meantBy({ names }: HopCertificate, { identity }: Snapshot): Meant | undefined {
  let entries = compiled.get(identity)
  if (entries === undefined) {
    entries = Object.entries(identity.certificates).map(([name, entry]) => ({ name, entry, find: compileCertificateNames(entry.san) }))
    compiled.set(identity, entries)
  }
  const meant = entries.flatMap(({ name, entry, find }) => {
    const texts = find(names)
    // Of one principal the names may be many.
    return (entry.user === undefined ? texts.slice(0, 1) : texts).map((text) => ({ entry, name, text }))
  })
  if (meant.length > 1)
    throw new TurnwardError('auth.two_identities', {
      subject: [...new Set(meant.map(({ name }) => name))].join(', '),
      why: 'the names in the client certificate mean several callers',
      fix: 'Write patterns under `identity.certificates` of which one alone fits.',
    })
  return meant[0]
}
