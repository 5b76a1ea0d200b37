/**
 * Cross checks the schema cannot make: every name that is used must be declared. Reports all of them; never
 * decides anything about a request.
 */
import type { Config } from '@turnward/contract/config'
import type { ConfigPath } from './locate.ts'
import type { ReportAt } from './problems.ts'
import { closest } from '../core/closest-name.ts'
import { serverOfName } from '../core/tool-names.ts'
import { boundPacks } from '../policy/packs/packs.ts'
import { compilePattern } from '../policy/patterns.ts'
import { namesAreTold } from '../policy/told-names.ts'
import { checkRemembering } from './remembering.ts'

const declaringSections = ['upstreams', 'credentials', 'principals', 'groups', 'servers', 'gateways'] as const

type DeclaringSection = (typeof declaringSections)[number]

/** Names declared per section, including entries that are themselves invalid: one mistake is reported once. */
export type DeclaredNames = Readonly<Record<DeclaringSection, ReadonlySet<string>>>

/** Gathers the declared names; `namesIn` lists those of one section. */
export function declaredNames(namesIn: (section: DeclaringSection) => Iterable<string>): DeclaredNames {
  const names: Partial<Record<DeclaringSection, ReadonlySet<string>>> = {}
  for (const section of declaringSections) names[section] = new Set(namesIn(section))
  return names as DeclaredNames
}

/** Credential id that means: send no credential. */
export const noCredential = 'none'

const singular: Record<DeclaringSection, string> = {
  upstreams: 'upstream',
  credentials: 'credential',
  principals: 'principal',
  groups: 'group',
  servers: 'server',
  gateways: 'gateway',
}

/** Reports every reference that leads nowhere. */
export function checkReferences(config: Config, names: DeclaredNames, report: ReportAt): void {
  const expectName = (section: DeclaringSection, name: string, path: ConfigPath, where: 'key' | 'value' = 'value') => {
    if (names[section].has(name)) return
    report(path, `there is no ${singular[section]} \`${name}\` under \`${section}\``, { where, suggestion: closest(name, names[section]) })
  }
  const expectCredential = (id: string, path: ConfigPath) => {
    if (id !== noCredential) expectName('credentials', id, path)
  }
  const expectCredentialMap = (map: Readonly<Record<string, string>>, path: ConfigPath) => {
    for (const [upstream, credential] of Object.entries(map)) {
      expectName('upstreams', upstream, [...path, upstream], 'key')
      expectCredential(credential, [...path, upstream])
    }
  }

  if (config.credentials[noCredential] !== undefined)
    report(['credentials', noCredential], `\`${noCredential}\` is reserved: it means that no credential is sent`, { where: 'key' })
  for (const [name, upstream] of Object.entries(config.upstreams)) {
    if (upstream.credential !== undefined) expectCredential(upstream.credential, ['upstreams', name, 'credential'])
  }
  for (const [index, route] of config.routes.entries()) {
    const { on_context_length: longer } = route
    if (typeof longer === 'string') expectName('upstreams', longer, ['routes', index, 'on_context_length'])
    else if (longer !== undefined) expectName('upstreams', longer.upstream, ['routes', index, 'on_context_length', 'upstream'])
    const matches = compilePattern(route.model)
    for (const [position, name] of (route.models ?? []).entries()) {
      if (name.includes('*') || !matches(name))
        report(['routes', index, 'models', position], `\`${name}\` is not a name that \`${route.model}\` matches`)
    }
    for (const [position, target] of route.upstreams.entries()) {
      const path = ['routes', index, 'upstreams', position]
      if (typeof target === 'string') expectName('upstreams', target, path)
      else {
        expectName('upstreams', target.upstream, [...path, 'upstream'])
        if (target.model?.includes('*') === true && route.model.split('*').length !== 2)
          report(
            [...path, 'model'],
            `\`*\` stands for what the \`*\` of the route matches, and \`${route.model}\` does not have exactly one`,
          )
      }
    }
  }
  for (const [name, group] of Object.entries(config.groups)) expectCredentialMap(group.credentials, ['groups', name, 'credentials'])
  for (const [id, principal] of Object.entries(config.principals)) {
    for (const [index, group] of principal.groups.entries()) expectName('groups', group, ['principals', id, 'groups', index])
    expectCredentialMap(principal.credentials, ['principals', id, 'credentials'])
  }
  for (const [id, key] of Object.entries(config.keys)) {
    expectName('principals', key.principal, ['keys', id, 'principal'])
    expectCredentialMap(key.credentials, ['keys', id, 'credentials'])
    for (const section of ['gateways', 'servers'] as const)
      for (const [position, name] of (key.grants?.[section] ?? []).entries())
        if (!name.includes('*')) expectName(section, name, ['keys', id, 'grants', section, position])
  }
  checkGrants(config, names, report)
  for (const [name, { transport, auth }] of Object.entries(config.servers)) {
    if (transport === 'stdio' || auth === undefined) continue
    for (const field of ['credential', 'listing_credential'] as const) {
      const credential = (auth as { readonly [field in typeof field]?: string | undefined })[field]
      if (credential === undefined) continue
      expectName('credentials', credential, ['servers', name, 'auth', field])
      if (config.credentials[credential] !== undefined && config.credentials[credential].secret === undefined)
        report(['servers', name, 'auth', field], `\`${credential}\` is no secret that could be sent in a header`)
    }
  }
  for (const [name, server] of Object.entries(config.servers)) {
    if (server.transport === 'openapi' || server.sampling === undefined) continue
    const { sampling, may_ask: mayAsk } = server
    if (!config.routes.some((route) => compilePattern(route.model)(sampling.model)))
      report(['servers', name, 'sampling', 'model'], `no route serves \`${sampling.model}\``)
    if (!mayAsk.includes('sampling')) report(['servers', name, 'sampling'], 'the server may not ask for `sampling`: see `may_ask`')
  }
  checkQuarantine(config, report)
  checkRails(config, report)
  checkRemembering(config, report)
  const { isolate } = config
  if (isolate !== undefined) {
    expectName('gateways', isolate.gateway, ['isolate', 'gateway'])
    if (!config.routes.some((route) => compilePattern(route.model)(isolate.model)))
      report(['isolate', 'model'], `no route serves \`${isolate.model}\``)
  }
  for (const { pack, server, path } of boundPacks(config.packs))
    if (server !== undefined && !names.servers.has(server))
      report(
        ['packs', ...path],
        `there is no server \`${server}\` under \`servers\`; say which one the pack is for: \`{ ${pack}: NAME }\``,
        { suggestion: closest(server, names.servers) },
      )
  for (const [name, gateway] of Object.entries(config.gateways)) {
    for (const [position, server] of gateway.servers.entries()) expectName('servers', server, ['gateways', name, 'servers', position])
  }
  checkReaderGroups(config, names.groups, report)
}

function checkRails({ rails, policy }: Config, report: ReportAt): void {
  if (rails?.below !== undefined && !policy.trust.includes(rails.below))
    report(['rails', 'below'], `it is no rank of \`policy.trust\`: ${policy.trust.join(', ')}`)
}

/** What is withheld needs somebody who answers questions about it: nobody would ever learn anything of it otherwise. */
function checkQuarantine({ contracts, quarantine, isolate, routes }: Config, report: ReportAt): void {
  const isServed = (model: string): boolean => routes.some((route) => compilePattern(route.model)(model))
  if (quarantine !== undefined && !isServed(quarantine.model)) report(['quarantine', 'model'], `no route serves \`${quarantine.model}\``)
  const automatic = quarantine?.automatic?.model
  if (automatic !== undefined && !isServed(automatic)) report(['quarantine', 'automatic', 'model'], `no route serves \`${automatic}\``)
  for (const [pattern, { output }] of Object.entries(contracts)) {
    if (output.as === 'quarantine' && quarantine === undefined)
      report(['contracts', pattern, 'output', 'as'], 'nobody would answer questions about the result: name a model under `quarantine`')
    if (output.answers !== undefined && output.as === undefined && isolate === undefined)
      report(['contracts', pattern, 'output', 'answers'], 'only a result that is withheld is asked about: set `as: quarantine`')
  }
}

/** Who lines of `grants` are for, and what they are about. A name of a person or group that only a token says cannot be known here. */
function checkGrants(config: Config, names: DeclaredNames, report: ReportAt): void {
  const isTold = namesAreTold(config.identity)
  const addresses = new Set(Object.values(config.principals).flatMap(({ emails }) => emails.map((email) => email.toLowerCase())))
  const expectWho = (section: 'principals' | 'groups', name: string, path: ConfigPath) => {
    if (names[section].has(name) || (section === 'principals' && addresses.has(name.toLowerCase()))) return
    const suggestion = closest(name, names[section])
    if (name.includes('*')) report(path, `\`${name}\` is no pattern: only \`*\` by itself, under \`principals\`, means everyone`)
    else if (isTold)
      report(path, `no ${singular[section]} \`${name}\` is declared here, so the line counts only where who signs in is called so`, {
        suggestion,
        isNotice: true,
      })
    else report(path, `there is no ${singular[section]} \`${name}\` under \`${section}\``, { suggestion })
  }
  const expectAbout = (section: 'gateways' | 'servers', named: readonly string[], path: ConfigPath) => {
    for (const [position, name] of named.entries()) {
      if (name.includes('*') || names[section].has(name)) continue
      const suggestion = closest(name, names[section])
      report([...path, section, position], `there is no ${singular[section]} \`${name}\` under \`${section}\``, { suggestion })
    }
  }
  const issuers = new Set([...Object.keys(config.identity.issuers), ...Object.keys(config.identity.edges ?? {}), ownIssuer])
  for (const [index, grant] of config.grants.entries()) {
    const path = ['grants', index]
    for (const [at, name] of grant.principals.entries()) if (name !== '*') expectWho('principals', name, [...path, 'principals', at])
    for (const [at, name] of grant.groups.entries()) expectWho('groups', name, [...path, 'groups', at])
    for (const [at, name] of (grant.issuers ?? []).entries()) {
      if (issuers.has(name)) continue
      report([...path, 'issuers', at], `there is no issuer \`${name}\` under \`identity.issuers\``, { suggestion: closest(name, issuers) })
    }
    for (const section of ['gateways', 'servers'] as const) {
      expectAbout(section, grant[section], path)
      expectAbout(section, grant.forbid?.[section] ?? [], [...path, 'forbid'])
    }
    // A slip here would keep nobody from anything, without a word.
    for (const [at, pattern] of (grant.forbid?.tools ?? []).entries()) {
      const server = serverOfName(pattern)
      if (server === undefined || server.includes('*') || names.servers.has(server)) continue
      report(
        [...path, 'forbid', 'tools', at],
        `no server \`${server}\` is declared here, so this forbids only what clients run themselves`,
        {
          suggestion: closest(server, names.servers),
          isNotice: true,
        },
      )
    }
  }
}

/** What our own tokens are said to come from. */
const ownIssuer = 'turnward'

/** `@group` in a contract: a misspelt one would name nobody, or open an audience to a group made later by that name. */
function checkReaderGroups(config: Config, groups: ReadonlySet<string>, report: ReportAt): void {
  const isNotice = namesAreTold(config.identity)
  const known = new Set([...groups].map((group) => group.toLowerCase()))
  const expectGroup = (reader: string, path: ConfigPath) => {
    const group = reader.trim().slice(1)
    if (!reader.trim().startsWith('@') || known.has(group.toLowerCase())) return
    const nearest = closest(group, groups)
    report(path, `there is no group \`${group}\` under \`groups\``, { suggestion: nearest && `@${nearest}`, isNotice })
  }
  for (const [pattern, contract] of Object.entries(config.contracts)) {
    for (const [index, reader] of (contract.output.audience ?? []).entries())
      expectGroup(reader, ['contracts', pattern, 'output', 'audience', index])
    for (const [index, reader] of (contract.requires.audience?.includes ?? []).entries())
      expectGroup(reader, ['contracts', pattern, 'requires', 'audience', 'includes', index])
  }
}
