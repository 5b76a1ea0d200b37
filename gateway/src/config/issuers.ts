/** Issuers of the configuration, with what their presets and the standards say filled in. */
import type { Config } from '@turnward/contract/config'
import { issuerPresets, usualTokens } from '@turnward/contract/config/identity/issuer-presets'
import type { ClaimExpression, Issuer, IssuerClient, MappedPart } from '../core/issuer.ts'
import { compileClaimExpression } from '../policy/claim-expressions.ts'
import { closest } from '../core/closest-name.ts'
import type { ReportAt } from './problems.ts'

type IssuerConfig = Config['identity']['issuers'][string]

/** Reports what is wrong with the issuers of a configuration, beyond their form. */
export function checkIssuers({ identity, policy, principals }: Config, report: ReportAt): void {
  const names = new Map<string, string>()
  for (const [id, { issuer }] of Object.entries(principals))
    if (issuer !== undefined && issuer !== 'turnward' && !Object.hasOwn(identity.issuers, issuer))
      report(['principals', id, 'issuer'], `there is no issuer \`${issuer}\` under \`identity.issuers\``, {
        suggestion: closest(issuer, Object.keys(identity.issuers)),
      })
  for (const [name, issuer] of Object.entries(identity.issuers)) {
    const other = names.get(issuer.issuer)
    if (other !== undefined) report(['identity', 'issuers', name, 'issuer'], `\`${other}\` is the same issuer: a token would be of both`)
    names.set(issuer.issuer, name)
    for (const [part, text] of Object.entries(issuer.mapping)) {
      const compiled = text === undefined ? { problems: [] } : compileClaimExpression(text, policy.conditions)
      if ('problems' in compiled) for (const problem of compiled.problems) report(['identity', 'issuers', name, 'mapping', part], problem)
    }
  }
}

/** The issuers by their names. Their mappings have been checked. */
export function compileIssuers({ identity, policy }: Config): ReadonlyMap<string, Issuer> {
  return new Map(
    Object.entries(identity.issuers).map(([name, issuer]) => [
      name,
      compileIssuer(name, issuer, mappingOf(issuer.mapping, policy.conditions)),
    ]),
  )
}

function compileIssuer(name: string, config: IssuerConfig, mapping: Issuer['mapping']): Issuer {
  const said = { ...usualTokens, ...(config.preset === undefined ? {} : issuerPresets[config.preset].settings) }
  return {
    name,
    issuer: config.issuer,
    preset: config.preset,
    discovery: config.discovery,
    jwksUri: config.jwks_uri,
    allowHttp: config.allow_http,
    audiences: config.audiences,
    algorithms: config.algorithms ?? said.algorithms,
    types: (config.typ ?? said.typ).map((type) => type.toLowerCase().replace(/^application\//, '')),
    tokens: config.tokens ?? said.tokens,
    clockSkewMs: config.clock_skew_seconds * 1000,
    maxLifetimeMs: config.max_lifetime_seconds * 1000,
    jwksStaleMs: config.jwks_stale_ms,
    user: config.user ?? said.user,
    subject: config.subject ?? said.subject,
    emails: listOf(config.email ?? said.email),
    groups: listOf(config.groups ?? said.groups),
    groupNames: new Map(Object.entries(config.group_names)),
    actor: config.actor ?? said.actor,
    consumers: listOf(config.consumer ?? said.consumer),
    claims: config.claims ?? said.claims,
    mapping,
    provision: config.provision,
    workloads: config.workloads,
    client: config.client === undefined ? undefined : clientOf(config.client),
  }
}

function clientOf({ id, auth, secret, private_key: privateKey, scopes }: NonNullable<IssuerConfig['client']>): IssuerClient {
  return { id, auth, secret, privateKey, scopes }
}

function mappingOf(mapping: IssuerConfig['mapping'], caps: Config['policy']['conditions']): Issuer['mapping'] {
  const compiled: Partial<Record<MappedPart, ClaimExpression>> = {}
  for (const [part, text] of Object.entries(mapping)) {
    const made = text === undefined ? undefined : compileClaimExpression(text, caps)
    if (made !== undefined && 'expression' in made) compiled[part as MappedPart] = made.expression
  }
  return compiled
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value
}
