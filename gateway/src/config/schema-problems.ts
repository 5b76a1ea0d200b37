/** Turns every issue the schema finds into a problem at the exact key or value, in words for an administrator. */
import type { z } from 'zod'
import { configSchema } from '@turnward/contract/config'
import { nodeAt, type ConfigPath, type MapNode } from './locate.ts'
import type { ReportAt } from './problems.ts'
import { keysAt, valueAt } from './schema-walk.ts'
import { closest } from '../core/closest-name.ts'

type Issue = z.core.$ZodIssue

interface IssueContext {
  readonly root: MapNode
  readonly data: unknown
  readonly report: ReportAt
}

/** Reports every issue. A value whose reference could not be resolved is not complained about a second time. */
export function reportIssues(issues: readonly Issue[], root: MapNode, data: unknown, report: ReportAt): void {
  for (const issue of issues) reportIssue(issue, issue.path, { root, data, report })
}

function reportIssue(issue: Issue, path: ConfigPath, context: IssueContext): void {
  const { root, data, report } = context
  const node = nodeAt(root, path)
  if (node?.kind === 'scalar' && node.broken) return
  const value = valueAt(data, path)
  const name = String(path.at(-1) ?? '')
  if (node?.kind === 'scalar' && node.empty && issue.code !== 'custom' && issue.code !== 'invalid_key')
    return report(path, `\`${name}\` has no value; give it one or remove the key`, { where: 'key' })
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) reportUnknownKey(key, path, context)
      return
    case 'invalid_key':
      return report(path, `\`${name}\` cannot be a name here: ${issue.issues.map((inner) => inner.message).join('; ')}`, { where: 'key' })
    case 'invalid_union':
      return reportUnion(issue, path, context)
    case 'invalid_type':
      if (value === undefined) return reportMissing(path, context)
      return report(path, `expected ${typeNames[issue.expected] ?? issue.expected}, got ${kindOf(value, issue.expected)}`)
    case 'invalid_value':
      return reportChoice(issue.values.map(String), path, context)
    case 'too_small':
      return report(
        path,
        issue.origin === 'string' && issue.minimum === 1
          ? 'must not be empty'
          : `must ${sizeVerb(issue.origin)} at least ${issue.minimum}${sizeUnit(issue.origin, issue.minimum)}`,
      )
    case 'too_big':
      return report(path, `must ${sizeVerb(issue.origin)} at most ${issue.maximum}${sizeUnit(issue.origin, issue.maximum)}`)
    case 'invalid_format':
      return report(path, formatMessages[issue.format] ?? issue.message)
    case 'custom':
      return report(
        path,
        issue.message,
        issue.params?.['code'] === 'config.not_available' ? { code: 'config.not_available', where: 'key' } : {},
      )
    default:
      return report(path, issue.message)
  }
}

const typeNames: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
}

const formatMessages: Record<string, string> = {
  url: 'must be an http:// or https:// URL',
  datetime: 'must be a date or a time with zone, such as `2027-01-31` or `2027-01-31T12:00:00Z`',
  date: 'must be a date or a time with zone, such as `2027-01-31` or `2027-01-31T12:00:00Z`',
}

function kindOf(value: unknown, expected: string): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'boolean') return '`true` or `false`; put it in quotes if it is text'
  return expected === 'int' ? 'a fraction' : 'a number; put it in quotes if it is text'
}

function sizeVerb(origin: string): string {
  return origin === 'number' || origin === 'int' ? 'be' : 'have'
}

function sizeUnit(origin: string, size: number | bigint): string {
  const plural = size === 1 ? '' : 's'
  if (origin === 'string') return ` character${plural}`
  return origin === 'array' ? ` item${plural}` : ''
}

function reportUnknownKey(key: string, path: ConfigPath, { data, report }: IssueContext): void {
  const allowed = keysAt(configSchema, path, data)
  report([...path, key], `unknown key \`${key}\``, { where: 'key', suggestion: closest(key, allowed) })
}

function reportMissing(path: ConfigPath, context: IssueContext, choices = ''): void {
  const parent = path.slice(0, -1)
  const owner = parent.at(-1)
  const subject = typeof owner === 'string' && nodeAt(context.root, parent) !== undefined ? `\`${owner}\` needs` : 'there must be'
  context.report(path, `${subject} a \`${String(path.at(-1))}\`${choices}`, { where: 'key' })
}

function reportChoice(choices: readonly string[], path: ConfigPath, context: IssueContext): void {
  const { root, data, report } = context
  const listed = choices.map((choice) => `\`${choice}\``).join(', ')
  const value = valueAt(data, path)
  // In a list the number says nothing; what the list is called does.
  const name = String(path.findLast((step) => typeof step === 'string') ?? '')
  if (value === undefined) return reportMissing(path, context, `: one of ${listed}`)
  // A value that came through a reference may be a secret put in the wrong place: not quoted.
  const node = nodeAt(root, path)
  const shown =
    (typeof value === 'string' || typeof value === 'number') && node?.kind === 'scalar' && node.interpolated === 'no'
      ? `\`${String(value).slice(0, 64)}\``
      : 'this value'
  const misfit = typeof path.at(-1) === 'number' ? `cannot be in \`${name}\`` : `is not a \`${name}\``
  report(path, `${shown} ${misfit}: use ${choices.length === 1 ? '' : 'one of '}${listed}`, {
    suggestion: typeof value === 'string' ? closest(value, choices) : undefined,
  })
}

type UnionIssue = Extract<Issue, { code: 'invalid_union' }>

function reportUnion(issue: UnionIssue, path: ConfigPath, context: IssueContext): void {
  if ('options' in issue && Array.isArray(issue.options)) return reportChoice(issue.options.map(String), path, context)
  // The branch whose shape fits is the one that was meant; the others only say that they do not fit.
  const meant = issue.errors.filter((branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0))
  const branch = meant[0]
  if (branch !== undefined) {
    for (const inner of branch) reportIssue(inner, [...path, ...inner.path], context)
    return
  }
  const expected = issue.errors.flatMap((inner) =>
    inner.flatMap((one) => (one.code === 'invalid_type' ? [typeNames[one.expected] ?? one.expected] : [])),
  )
  context.report(path, `expected ${[...new Set(expected)].join(' or ')}, got ${kindOf(valueAt(context.data, path), expected[0] ?? '')}`)
}
