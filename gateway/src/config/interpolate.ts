/**
 * `${ENV}`, `${ENV:-default}`, `${file:path}` and the escape `$$` in string values. Works on parsed strings
 * only and never looks at its own output, so a value can neither add YAML nor pull in another reference.
 */
import { dirname, resolve } from 'node:path'
import type { ConfigPath, LocatedNode, ScalarNode } from './locate.ts'
import type { ProblemList } from './problems.ts'
import { readText } from './read-file.ts'
import { closest } from '../core/closest-name.ts'

const maxSecretBytes = 64 * 1024

export interface InterpolationContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly problems: ProblemList
  /** Receives the absolute path of every `${file:…}`, found or not, so that it can be watched. */
  readonly inputs: Set<string>
  /** What was read already: a file that is named twice is the same text twice. */
  readonly texts: Map<string, string>
}

/** Resolves every reference below a node, in place. Unresolvable ones are reported and marked broken. */
export async function interpolate(node: LocatedNode, context: InterpolationContext, path: ConfigPath = []): Promise<void> {
  if (node.kind === 'list') {
    for (const [index, item] of node.items.entries()) await interpolate(item, context, [...path, index])
  } else if (node.kind === 'map') {
    for (const [key, entry] of node.entries) await interpolate(entry.value, context, [...path, key])
  } else if (typeof node.value === 'string' && node.value.includes('$')) {
    await interpolateScalar(node, node.value, context, path)
  }
}

async function interpolateScalar(node: ScalarNode, text: string, context: InterpolationContext, path: ConfigPath): Promise<void> {
  let result = ''
  let end = 0
  for (const match of text.matchAll(/\$\$|\$\{([^}]*)(\}?)/g)) {
    result += text.slice(end, match.index)
    end = match.index + match[0].length
    if (match[0] === '$$') {
      result += '$'
      continue
    }
    if (match[2] === '') return fail(node, context, path, 'a `${` is never closed; write `$${` for the characters themselves')
    const value = await resolveReference(node, match[1] ?? '', context, path)
    if (value === undefined) return
    context.problems.hide(value, match[0])
    node.interpolated = match[0].length === text.length ? 'whole' : 'part'
    result += value
  }
  node.value = result + text.slice(end)
}

async function resolveReference(
  node: ScalarNode,
  reference: string,
  context: InterpolationContext,
  path: ConfigPath,
): Promise<string | undefined> {
  if (reference.startsWith('file:')) {
    const name = reference.slice('file:'.length)
    if (name === '') return fail(node, context, path, '`${file:}` names no file')
    const file = resolve(dirname(node.spot.file.path), name)
    context.inputs.add(file)
    try {
      const text = context.texts.get(file) ?? (await readText(file, maxSecretBytes)).replace(/\r?\n$/, '')
      context.texts.set(file, text)
      return text
    } catch (error) {
      return fail(node, context, path, `the file \`${name}\` ${error instanceof Error ? error.message : 'cannot be read'}`)
    }
  }
  const parts = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/.exec(reference)
  const name = parts?.[1]
  if (name === undefined)
    return fail(
      node,
      context,
      path,
      'not a reference: use `${NAME}`, `${NAME:-default}` or `${file:path}`, or `$${` for the characters themselves',
    )
  const fallback = parts?.[2]
  const value = Object.hasOwn(context.env, name) ? context.env[name] : undefined
  // As in a shell, `:-` also stands in for a variable that is set and empty.
  if (fallback !== undefined && (value === undefined || value === '')) return fallback
  if (value !== undefined) return value
  return fail(
    node,
    context,
    path,
    `the environment variable \`${name}\` is not set (a default is written \`\${${name}:-value}\`)`,
    closest(name, Object.keys(context.env)),
  )
}

function fail(node: ScalarNode, context: InterpolationContext, path: ConfigPath, message: string, suggestion?: string): undefined {
  node.broken = true
  context.problems.add(node.spot, path, message, { suggestion })
  return undefined
}
