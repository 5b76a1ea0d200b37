/** What is known of the tokens of products, so that nobody has to find it out. A setting that is written goes before it. */
import { z } from 'zod'

export const issuerPresetSchema = z.enum(['okta', 'entra-id', 'auth0', 'keycloak', 'google'])

/** What tokens of an issuer are like and say where. */
export interface TokenSettings {
  readonly algorithms: readonly string[]
  readonly typ: readonly string[]
  readonly tokens: 'access' | 'id'
  readonly user: string
  readonly subject: string
  readonly email: readonly string[]
  readonly groups: readonly string[]
  readonly actor: string
  readonly consumer: readonly string[]
  readonly claims: readonly string[]
}

/** Of an issuer that does as the standards say (RFC 9068, RFC 8693). */
export const usualTokens: TokenSettings = {
  algorithms: ['RS256', 'ES256'],
  typ: ['at+jwt'],
  tokens: 'access',
  user: 'sub',
  subject: 'sub',
  email: ['email'],
  groups: ['groups'],
  actor: 'act.sub',
  consumer: ['azp', 'client_id'],
  claims: [],
}

interface IssuerPreset {
  readonly settings: Partial<TokenSettings>
  /** Why this is not the address of an issuer of the product. */
  readonly problemOf?: (issuer: string) => string | undefined
}

export const issuerPresets: Readonly<Record<z.output<typeof issuerPresetSchema>, IssuerPreset>> = {
  // Access tokens of a custom authorization server: no `typ`, the login name in `sub`, the client in `cid`.
  okta: {
    settings: { algorithms: ['RS256'], typ: ['none', 'JWT', 'at+jwt'], subject: 'uid', email: ['email', 'sub'], consumer: ['cid'] },
  },
  // Version 2.0. Names and addresses can be changed and are not proven there: the object id is who somebody is.
  'entra-id': {
    settings: { algorithms: ['RS256'], typ: ['JWT'], user: 'oid', subject: 'oid', email: ['email'], consumer: ['azp'] },
    problemOf: (issuer) => {
      if (!issuer.endsWith('/v2.0')) return 'is not the issuer of version 2.0 (`https://login.microsoftonline.com/TENANT-ID/v2.0`)'
      return /\/(?:common|organizations|consumers)\/v2\.0$/.test(issuer)
        ? 'stands for any tenant; write the id of yours (`https://login.microsoftonline.com/TENANT-ID/v2.0`)'
        : undefined
    },
  },
  auth0: {
    settings: { algorithms: ['RS256'], typ: ['at+jwt', 'JWT'] },
    problemOf: (issuer) =>
      issuer.endsWith('/') ? undefined : 'needs a slash at its end, as Auth0 writes it (`https://TENANT.auth0.com/`)',
  },
  keycloak: {
    settings: { algorithms: ['RS256', 'PS256', 'ES256'], typ: ['JWT', 'at+jwt'], groups: ['groups', 'realm_access.roles'] },
    problemOf: (issuer) => (/\/realms\/[^/]+$/.test(issuer) ? undefined : 'is not the address of a realm (`https://HOST/realms/REALM`)'),
  },
  // Access tokens of Google are for Google alone: people send ID tokens, whose audience is the client.
  google: {
    settings: { algorithms: ['RS256'], typ: ['JWT'], tokens: 'id', user: 'email', groups: [], consumer: ['azp'], claims: ['hd'] },
    problemOf: (issuer) => (issuer === 'https://accounts.google.com' ? undefined : 'is `https://accounts.google.com`'),
  },
}
