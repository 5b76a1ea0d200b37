/** Guards, from the configuration to what calls are looked at with. */
import type { Config, GuardConfig } from '@turnward/contract/config'
import { upstreamSchema } from '@turnward/contract/config/model-floor'
import { closest } from '../core/closest-name.ts'
import { deepFreeze } from '../core/freeze.ts'
import { compileTextPatterns } from '../core/text-patterns.ts'
import { compileNames, compilePattern } from '../policy/patterns.ts'
import type { ReportAt } from './problems.ts'
import { noCredential } from './references.ts'
import type { Guard, Upstream } from './snapshot.ts'

/** Reports guards that routes name and nobody declared, patterns that are none, and guards that nothing leads to. */
export function checkGuards(config: Config, report: ReportAt): void {
  const used = new Set<string>()
  for (const [index, route] of config.routes.entries()) {
    for (const [position, name] of route.guards.entries()) {
      used.add(name)
      if (!Object.hasOwn(config.guards, name))
        report(['routes', index, 'guards', position], `there is no guard \`${name}\` under \`guards\``, {
          suggestion: closest(name, Object.keys(config.guards)),
        })
    }
  }
  for (const [name, guard] of Object.entries(config.guards)) {
    checkPatterns(name, guard, report)
    checkNames(name, guard, config, report)
    if (guard.parts !== undefined && guard.on === 'output')
      report(['guards', name, 'parts'], 'they are parts of a request, which `on: output` does not look at')
    if (!used.has(name) && guard.groups === undefined && !guard.everywhere)
      report(['guards', name], 'no route lists it, and it holds for no `groups` and not `everywhere`: it looks at nothing', {
        where: 'key',
        isNotice: true,
      })
  }
}

function checkPatterns(name: string, guard: GuardConfig, report: ReportAt): void {
  if (guard.kind !== 'patterns') return
  for (const list of ['deny', 'allow'] as const) {
    for (const [index, source] of guard[list].entries()) {
      try {
        compileTextPatterns([source])
      } catch (error) {
        report(['guards', name, list, index], `is no pattern of RE2: ${error instanceof Error ? error.message : 'it cannot be read'}`)
      }
    }
  }
}

/** What a guard names must be there: credentials, upstreams, the model of a judge. */
function checkNames(name: string, guard: GuardConfig, config: Config, report: ReportAt): void {
  if ('credential' in guard && guard.credential !== undefined && guard.credential !== noCredential) {
    const credential = Object.hasOwn(config.credentials, guard.credential) ? config.credentials[guard.credential] : undefined
    const path = ['guards', name, 'credential']
    if (credential === undefined)
      report(path, `there is no credential \`${guard.credential}\` under \`credentials\``, {
        suggestion: closest(guard.credential, Object.keys(config.credentials)),
      })
    else if (credential.aws !== undefined && guard.kind !== 'bedrock-guardrails')
      report(path, 'keys that sign requests to AWS are for nobody else')
    else if (credential.google !== undefined && guard.kind !== 'model-armor') report(path, 'tokens of Google Cloud are for nobody else')
  }
  if ('upstream' in guard && !Object.hasOwn(config.upstreams, guard.upstream))
    report(['guards', name, 'upstream'], `there is no upstream \`${guard.upstream}\` under \`upstreams\``, {
      suggestion: closest(guard.upstream, Object.keys(config.upstreams)),
    })
  if (guard.kind === 'judge' && !config.routes.some((route) => compilePattern(route.model)(guard.model)))
    report(['guards', name, 'model'], `no route serves \`${guard.model}\``)
}

/** Where a guard asks, as connections know it: a name that no upstream can have, and its own bounds. */
function serviceOf(name: string, guard: GuardConfig, upstreams: ReadonlyMap<string, Upstream>): Upstream | undefined {
  if ('upstream' in guard) return upstreams.get(guard.upstream)
  if (!('url' in guard) && guard.kind !== 'model-armor') return undefined
  const { timeout_ms: ms } = guard
  const bounds = { timeout_ms: ms, idle_timeout_ms: ms, connect_timeout_ms: ms, connections: 64 }
  const armor = guard.kind === 'model-armor' ? `https://modelarmor.${guard.location}.rep.googleapis.com` : undefined
  const address = guard.url ?? armor
  const config: unknown =
    guard.kind === 'bedrock-guardrails'
      ? { kind: 'bedrock', region: guard.region, ...(address === undefined ? {} : { base_url: address }), ...bounds }
      : { kind: 'openai-compatible', base_url: address, ...bounds }
  return deepFreeze({ name: `guard ${name}`, config: upstreamSchema.parse(config) })
}

export function compileGuards(guards: Config['guards'], upstreams: ReadonlyMap<string, Upstream> = new Map()): ReadonlyMap<string, Guard> {
  return new Map(
    Object.entries(guards).map(([name, config]): [string, Guard] => {
      const { deny, allow } = config.kind === 'patterns' ? config : { deny: [], allow: [] }
      const groups = config.groups === undefined ? undefined : compileNames(config.groups)
      const service = serviceOf(name, config, upstreams)
      return [name, { name, config, groups, deny: compileTextPatterns(deny), allow: compileTextPatterns(allow), service }]
    }),
  )
}

/** Those that hold for calls of any route. */
export function standingGuards(guards: ReadonlyMap<string, Guard>): readonly Guard[] {
  return [...guards.values()].filter(({ config, groups }) => config.everywhere || groups !== undefined)
}
