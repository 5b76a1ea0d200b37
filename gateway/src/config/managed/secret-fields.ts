/**
 * Where secrets stand in objects that are made over the administration API. Only references may stand there, to what the file allows; the
 * value itself is refused, and never said again.
 */
import { isAbsolute, normalize } from 'node:path'
import { compilePattern } from '../../policy/patterns.ts'
import type { LocatedNode, ScalarNode } from '../locate.ts'
import { holdsSecret, isReference, maskedEntry } from '../masking.ts'
import { parseReferences } from '../references-in-text.ts'

/** Settings that are a secret. */
const secretNames: ReadonlySet<string> = new Set([
  'secret',
  'secret_access_key',
  'session_token',
  'service_account',
  'private_key',
  'password',
])
/** Maps whose every value may be one. */
const secretMaps: ReadonlySet<string> = new Set(['headers', 'env', 'query'])
/** What a cloud gives this machine, or its files hold. */
const machineNames: ReadonlySet<string> = new Set(['identity', 'profile'])
/** Kinds in which those words mean something else. */
const withoutSecrets: ReadonlySet<string> = new Set([
  'routes',
  'grants',
  'contracts',
  'values',
  'rules',
  'limits',
  'prices',
  'templates',
  'transforms',
  'gateways',
  'principals',
  'groups',
])

const mask = '****'

function isSecretField(kind: string, path: readonly string[]): boolean {
  if (withoutSecrets.has(kind)) return false
  return secretNames.has(path.at(-1) ?? '') || path.slice(0, -1).some((step) => secretMaps.has(step))
}

/** A scalar of an object, and the names that lead to it. */
export function* scalarsIn(node: LocatedNode, path: readonly string[] = []): Generator<readonly [ScalarNode, readonly string[]]> {
  if (node.kind === 'scalar') yield [node, path]
  else if (node.kind === 'list') for (const item of node.items) yield* scalarsIn(item, path)
  else for (const [name, { value }] of node.entries) yield* scalarsIn(value, [...path, name])
}

/** Why a value may not stand there; `resolve` when it is a reference to look up; undefined when it stands for itself. */
export function judgeValue(
  kind: string,
  path: readonly string[],
  value: ScalarNode['value'],
  allowed: readonly string[],
): { readonly problem: string; readonly isLiteral?: true } | 'resolve' | undefined {
  const isAllowed = (name: string): boolean => allowed.some((pattern) => pattern === name || compilePattern(pattern)(name))
  if (kind === 'credentials' && machineNames.has(path.at(-1) ?? ''))
    return isAllowed('machine') ? undefined : { problem: `the identity of this machine may not be used: allow \`machine\` ${where}` }
  if (!isSecretField(kind, path)) return typeof value === 'string' && holdsSecret(value) ? literal : undefined
  if (typeof value !== 'string' || !isReference(value)) return literal
  const parts = parseReferences(value)
  if ('problem' in parts) return { problem: parts.problem }
  for (const part of parts) {
    if (typeof part === 'string') continue
    const name = 'file' in part ? `file:${part.file}` : part.name
    if ('file' in part && (!isAbsolute(part.file) || normalize(part.file) !== part.file))
      return { problem: 'a file is named by its absolute path here' }
    if (!isAllowed(name)) return { problem: `\`${name}\` may not be referred to: allow it ${where}` }
  }
  return 'resolve'
}

const where = 'under `managed.references` in the configuration file'
const literal = { problem: 'a secret cannot be kept here: refer to it, as in `${NAME}`', isLiteral: true } as const

/** An object as it may be shown to anybody who may look: no secret that somebody wrote into it. `isOfFile`: written without these rules. */
export function shownObject(kind: string, value: unknown, isOfFile: boolean): unknown {
  const shown = withoutSecretsIn(kind, value, [])
  return isOfFile ? maskedEntry(shown) : shown
}

function withoutSecretsIn(kind: string, value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutSecretsIn(kind, item, path))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutSecretsIn(kind, inner, [...path, name])]))
  if (isSecretField(kind, path)) return isReference(value) ? value : mask
  return typeof value === 'string' && holdsSecret(value) ? mask : value
}
