/**
 * The way of edges: Kong, APISIX or another proxy has authenticated somebody and says so in headers. Its word counts on a connection
 * that proves to be its own; from anybody else the same headers are text that nobody reads.
 */
import type { Snapshot } from '../../../config/snapshot.ts'
import { BoundedMap } from '../../../core/bounded-map.ts'
import type { Clock } from '../../../core/clock.ts'
import { TurnwardError } from '../../../core/error.ts'
import { digestJson } from '../../../core/hash.ts'
import type { Logger } from '../../../core/logger.ts'
import type { Principal } from '../../../core/principal.ts'
import type { People } from '../../people/people.ts'
import type { Identity, Presented, Way } from '../way.ts'
import { readStatement, type Statement } from './edge-statement.ts'
import { provenEdge, trustedEdges, type TrustedEdge } from './trusted-edges.ts'

export interface EdgeWayOptions {
  readonly people: Pick<People, 'principal' | 'principalOf'>
  readonly clock: Clock
  readonly logger: Logger
}

/** People that came lately, each with what their edge says of them. */
const mostRemembered = 20_000
const sayEveryMs = 10_000

export function createEdgeWay({ people, clock, logger }: EdgeWayOptions): Way {
  const identities = new BoundedMap<string, Identity>({ most: mostRemembered })
  let said = -Infinity

  /** The same object as long as the principal is, and the edge says the same. */
  function identityOf(edge: TrustedEdge, statement: Statement, principal: Principal): Identity {
    const key = digestJson([edge.name, { ...statement }])
    const known = identities.get(key)
    if (known?.principal === principal) return known
    const identity = makeIdentity(edge, statement, principal)
    identities.set(key, identity)
    return identity
  }

  async function anonymous(edge: TrustedEdge, snapshot: Snapshot): Promise<Identity> {
    const { anonymous: may } = edge.config
    if (may === 'refuse')
      throw new TurnwardError('auth.anonymous', { subject: `edge:${edge.name}`, why: 'the edge in front does not know who calls' })
    const principal = await people.principal(may.models, snapshot)
    const nobody: Statement = { user: may.models, subject: may.models, groups: [], emails: [], consumer: undefined, credential: undefined }
    const identity = identityOf(edge, nobody, principal)
    if (identity.isAnonymous === true) return identity
    const narrowed: Identity = {
      ...identity,
      scopes: ['models'],
      within: { models: null, gateways: [], tools: [] },
      isAnonymous: true,
      later: '',
    }
    identities.set(digestJson([edge.name, { ...nobody }]), narrowed)
    return narrowed
  }

  async function named(edge: TrustedEdge, statement: Statement, snapshot: Snapshot): Promise<Identity> {
    const { kind, provision } = edge.config
    const { user, subject, emails, groups } = statement
    const principal = await people.principalOf({ issuer: issuerOf(edge), subject, user, emails, groups, kind, provision }, snapshot)
    return identityOf(edge, statement, principal)
  }

  return {
    name: 'edge',
    find(presented, snapshot) {
      const edge = provenEdge(presented, snapshot)
      if (edge === undefined) return undefined
      const statement = readStatement(edge, presented.headers)
      if (statement === 'anonymous') return anonymous(edge, snapshot)
      return statement && named(edge, statement, snapshot)
    },
    whyNothing(presented, snapshot) {
      if (!isIgnored(presented, snapshot)) return undefined
      const now = clock.monotonic()
      if (now - said >= sayEveryMs) {
        said = now
        logger.info(
          { address: presented.hop?.address },
          'identity headers came on a connection that does not prove to be an edge: they were ignored',
        )
      }
      return 'identity headers came on a connection that does not prove to be an edge, and were ignored'
    },
    async findLater(later, snapshot) {
      const [, name, id = ''] = /^edge:([^:]+):(.+)$/s.exec(later) ?? []
      const edge = trustedEdges(snapshot).find((one) => one.name === name)
      if (edge === undefined || id === '') return undefined
      const principal = await people.principal(id, snapshot)
      const statement: Statement = { user: id, subject: id, groups: [], emails: [], consumer: undefined, credential: undefined }
      return identityOf(edge, statement, principal)
    },
  }
}

/** Whose word it is: an issuer whose people the edge names, or the edge itself. */
export function issuerOf({ name, config }: Pick<TrustedEdge, 'name' | 'config'>): string {
  return config.issuer ?? `edge:${name}`
}

const nothing = Object.freeze({})
const noCredentials: ReadonlyMap<string, string> = new Map()

function makeIdentity(edge: TrustedEdge, { consumer, credential }: Statement, principal: Principal): Identity {
  return {
    way: 'edge',
    principal,
    id: credential === undefined ? `edge:${edge.name}` : `edge:${edge.name}/${credential}`,
    issuer: issuerOf(edge),
    consumer: consumer ?? null,
    actors: [],
    scopes: null,
    expires: null,
    claims: nothing,
    credentials: noCredentials,
    later: `edge:${edge.name}:${principal.id}`,
  }
}

/** Whether the request says what only an edge may say. */
function isIgnored({ headers }: Presented, snapshot: Snapshot): boolean {
  return trustedEdges(snapshot).some(({ headers: { user, signed, unsigned } }) =>
    [...user, ...(signed === undefined ? [] : [signed]), ...unsigned].some((name) => headers[name] !== undefined),
  )
}
