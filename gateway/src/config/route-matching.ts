/** For which calls a route is there, beside those for its model: by who asks, how, and with which headers. */
import type { Config } from '@turnward/contract/config'
import type { IncomingHttpHeaders } from 'node:http'
import { compileNames, compilePattern } from '../policy/patterns.ts'
import { compileRouteCondition } from '../policy/route-conditions.ts'
import { namesAreTold } from '../policy/told-names.ts'
import { closest } from '../core/closest-name.ts'
import type { ReportAt } from './problems.ts'
import type { RouteFacts } from './snapshot.ts'

type Match = NonNullable<Config['routes'][number]['match']>
type Caps = Config['policy']['conditions']

/** Whether a call fits; undefined for a route that is there for all. A condition that is wrong was reported before. */
export function compileMatch(match: Match | undefined, caps: Caps): ((model: string, facts: RouteFacts) => boolean) | undefined {
  if (match === undefined) return undefined
  const { headers, groups, consumers, dialects, when } = match
  const tests: ((model: string, facts: RouteFacts) => boolean)[] = []
  for (const [name, pattern] of Object.entries(headers ?? {})) {
    const fits = compilePattern(pattern)
    tests.push((_model, facts) => {
      const value = headerOf(facts.headers, name.toLowerCase())
      return value !== undefined && fits(value)
    })
  }
  if (groups !== undefined) {
    const names = compileNames(groups)
    tests.push((_model, { caller }) => caller.principal.groups.some((group) => names.matches(group)))
  }
  if (consumers !== undefined) {
    const names = compileNames(consumers)
    tests.push((_model, { caller }) => caller.consumer !== null && names.matches(caller.consumer))
  }
  if (dialects !== undefined) tests.push((_model, { dialect }) => (dialects as readonly string[]).includes(dialect))
  const condition = when === undefined ? undefined : compileRouteCondition(when, caps)
  if (condition !== undefined)
    tests.push((model, { caller, dialect, headers: given }) =>
      'holds' in condition ? condition.holds({ caller, model, dialect, headers: plainHeaders(given) }) : false,
    )
  return (model, facts) => tests.every((test) => test(model, facts))
}

/** Headers that prove who somebody is are none to choose by: they would end up in the configuration, or be compared there. */
const secretHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
])

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** What may be looked at of the headers of a call. */
export function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const names = Object.keys(headers).filter((name) => !secretHeaders.has(name))
  return Object.fromEntries(names.map((name) => [name, headerOf(headers, name) ?? '']))
}

/** What is wrong with the conditions of routes. */
export function checkRouteMatches(config: Config, report: ReportAt): void {
  const groups = Object.keys(config.groups)
  const isTold = namesAreTold(config.identity)
  for (const [index, { match }] of config.routes.entries()) {
    if (match === undefined) continue
    const path = ['routes', index, 'match']
    for (const name of Object.keys(match.headers ?? {})) {
      if (secretHeaders.has(name.toLowerCase()))
        report([...path, 'headers', name], `\`${name}\` proves who somebody is: match \`groups\` or \`consumers\` instead`, {
          where: 'key',
        })
    }
    for (const [at, group] of (match.groups ?? []).entries()) {
      if (group.includes('*') || groups.includes(group) || isTold) continue
      report([...path, 'groups', at], `there is no group \`${group}\` under \`groups\``, { suggestion: closest(group, groups) })
    }
    const condition = match.when === undefined ? undefined : compileRouteCondition(match.when, config.policy.conditions)
    if (condition !== undefined && 'problems' in condition) for (const message of condition.problems) report([...path, 'when'], message)
  }
}
