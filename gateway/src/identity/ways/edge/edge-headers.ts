/** Which header of an edge says what: a table for each product, and the names an administrator gives for any other. */
import type { Config } from '@turnward/contract/config'

/** As it is configured. */
export type EdgeConfig = Config['identity']['edges'][string]

type Reads = NonNullable<EdgeConfig['reads']>[number]

/** Names of headers, lower case. */
export interface EdgeHeaders {
  /** The person: the first that is there. */
  readonly user: readonly string[]
  /** What the edge never gives to another. */
  readonly subject?: string | undefined
  readonly groups: readonly string[]
  readonly email?: string | undefined
  /** The application; `user` where a token names the person. */
  readonly consumer?: string | undefined
  readonly credential?: string | undefined
  readonly anonymous?: string | undefined
  /** A signed JWT. */
  readonly signed?: string | undefined
  /** JSON in Base64, unsigned. */
  readonly unsigned: readonly string[]
}

type Part = Partial<EdgeHeaders>

/** What each product sets, by what has to be trusted for it. */
const products: Readonly<Record<'kong' | 'apisix', Readonly<Partial<Record<Reads, Part>>>>> = {
  kong: {
    consumer: {
      // With LDAP or OIDC and no consumer, the identifier of the credential is the name of the person.
      user: ['x-consumer-username', 'x-consumer-custom-id', 'x-credential-identifier'],
      subject: 'x-consumer-id',
      credential: 'x-credential-identifier',
      anonymous: 'x-anonymous-consumer',
    },
    groups: { groups: ['x-consumer-groups', 'x-authenticated-groups'] },
  },
  apisix: {
    consumer: {
      user: ['x-consumer-username', 'x-consumer-custom-id'],
      credential: 'x-credential-identifier',
      anonymous: 'x-anonymous-consumer',
    },
    token: { signed: 'x-raw-id-token' },
    user_info: { unsigned: ['x-userinfo', 'x-id-token'] },
  },
}

/** What a product is read for unless the configuration says it. */
function readsOf({ headers, reads, issuer }: Pick<EdgeConfig, 'headers' | 'reads' | 'issuer'>): readonly Reads[] {
  return reads ?? (headers === 'apisix' && issuer !== undefined ? ['consumer', 'token'] : ['consumer'])
}

/** The headers of an edge that count. */
export function edgeHeaders(edge: EdgeConfig): EdgeHeaders {
  const { headers } = edge
  const empty: EdgeHeaders = { user: [], groups: [], unsigned: [] }
  if (typeof headers === 'string') return Object.assign(empty, ...readsOf(edge).map((one) => products[headers][one])) as EdgeHeaders
  const { user, groups, email, consumer, credential, anonymous, signed_token: signed, user_info: info, id_token: idToken } = headers
  return {
    user: user === undefined ? [] : [user],
    groups: groups === undefined ? [] : [groups],
    email,
    consumer,
    credential,
    anonymous,
    signed,
    unsigned: [info, idToken].filter((name) => name !== undefined),
  }
}
