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
import type { Issuers } from '../token/issuers.ts'
import type { Identity, Presented, Way } from '../way.ts'
import { EdgeClaims, type ClaimedCaller } from './edge-claims.ts'
import { readStatement, type Statement } from './edge-statement.ts'
import { provenEdge, trustedEdges, type TrustedEdge } from './trusted-edges.ts'

export interface EdgeWayOptions {
  readonly people: Pick<People, 'principal' | 'principalOf'>
  readonly clock: Clock
  readonly logger: Logger
  /** Whose signed tokens are taken from edges; without them none are. */
  readonly issuers?: Issuers
}

/** People that came lately, each with what their edge says of them. */
const mostRemembered = 20_000
const sayEveryMs = 10_000
/** No id of a principal. */
const nobody = ''

export function createEdgeWay({ people, clock, logger, issuers }: EdgeWayOptions): Way {
  const edgeClaims = issuers && new EdgeClaims(issuers, clock)
  const identities = new BoundedMap<string, Identity>({ most: mostRemembered })
  let said = -Infinity

  /** The same object as long as the principal is, and the edge says the same. */
  function identityOf(edge: TrustedEdge, said: Said, principal: Principal): Identity {
    const key = digestJson([edge.name, issuerOf(edge), { ...said }])
    const known = identities.get(key)
    if (known?.principal === principal) return known
    const identity = makeIdentity(edge, said, principal)
    identities.set(key, identity)
    return identity
  }

  async function anonymous(edge: TrustedEdge, snapshot: Snapshot): Promise<Identity> {
    const { anonymous: may } = edge.config
    if (may === 'refuse')
      throw new TurnwardError('auth.anonymous', { subject: `edge:${edge.name}`, why: 'the edge in front does not know who calls' })
    return identityOf(edge, { of: nobody }, await people.principal(may.models, snapshot))
  }

  async function named(edge: TrustedEdge, user: string, statement: Statement, snapshot: Snapshot): Promise<Identity> {
    const { kind, provision } = edge.config
    const { subject = user, emails, groups, consumer, credential } = statement
    const principal = await people.principalOf({ issuer: issuerOf(edge), subject, user, emails, groups, kind, provision }, snapshot)
    return identityOf(edge, { of: principal.id, consumer, credential }, principal)
  }

  async function claimed(edge: TrustedEdge, statement: Statement, caller: ClaimedCaller, snapshot: Snapshot): Promise<Identity> {
    const { person, consumer, actors, claims, expires } = caller
    const { user, credential } = statement
    // Beside claims the consumer of Kong and APISIX is the application; a header that was named for the user is the user.
    const isApplication = typeof edge.config.headers === 'string'
    if (!isApplication && user !== undefined && ![person.user, person.subject, ...person.emails].includes(user))
      throw new TurnwardError('auth.two_identities', {
        subject: `edge:${edge.name}`,
        why: 'the header of the user and the claims that the edge passes on name different people',
      })
    const principal = await people.principalOf(person, snapshot)
    const application = statement.consumer ?? (isApplication ? user : undefined) ?? consumer ?? undefined
    return identityOf(edge, { of: principal.id, consumer: application, credential, actors, claims, expires }, principal)
  }

  async function withClaims(
    edge: TrustedEdge,
    statement: Statement,
    { headers }: Presented,
    snapshot: Snapshot,
  ): Promise<Identity | undefined> {
    const caller = await edgeClaims?.read(edge, headers, snapshot)
    if (caller !== undefined) return claimed(edge, statement, caller, snapshot)
    return statement.user === undefined ? undefined : named(edge, statement.user, statement, snapshot)
  }

  return {
    name: 'edge',
    find(presented, snapshot) {
      const edge = provenEdge(presented, snapshot)
      if (edge === undefined) return undefined
      const statement = readStatement(edge, presented.headers)
      return statement === 'anonymous' ? anonymous(edge, snapshot) : withClaims(edge, statement, presented, snapshot)
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
      return identityOf(edge, { of: principal.id }, principal)
    },
  }
}

/** Whose word it is: an issuer whose people the edge names, or the edge itself. */
function issuerOf({ name, config }: Pick<TrustedEdge, 'name' | 'config'>): string {
  return config.issuer ?? `edge:${name}`
}

const nothing = Object.freeze({})
const noCredentials: ReadonlyMap<string, string> = new Map()

/** What an edge says besides who it is. */
interface Said {
  /** Id of the principal. */
  readonly of: string
  readonly consumer?: string | undefined
  readonly credential?: string | undefined
  readonly actors?: readonly string[]
  readonly claims?: ClaimedCaller['claims']
  readonly expires?: number | null
}

function makeIdentity(edge: TrustedEdge, said: Said, principal: Principal): Identity {
  const { consumer, credential, actors = [], claims = nothing, expires = null } = said
  const identity: Identity = {
    way: 'edge',
    principal,
    id: credential === undefined ? `edge:${edge.name}` : `edge:${edge.name}/${credential}`,
    issuer: issuerOf(edge),
    consumer: consumer ?? null,
    actors,
    scopes: null,
    expires,
    claims,
    credentials: noCredentials,
    later: `edge:${edge.name}:${principal.id}`,
  }
  if (said.of !== nobody) return identity
  return { ...identity, scopes: ['models'], within: { models: null, gateways: [], tools: [] }, isAnonymous: true, later: '' }
}

/** Whether the request says what only an edge may say. */
function isIgnored({ headers }: Presented, snapshot: Snapshot): boolean {
  return trustedEdges(snapshot).some(({ headers: { user, signed, unsigned } }) =>
    [...user, ...(signed === undefined ? [] : [signed]), ...unsigned].some((name) => headers[name] !== undefined),
  )
}
