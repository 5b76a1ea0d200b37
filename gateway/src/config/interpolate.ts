/**
 * `${ENV}`, `${ENV:-default}`, `${file:path}` and the escape `$$` in string values. A default may hold references of its
 * own, as in a shell. Works on parsed strings only and never looks at the values it puts in, so a value can neither add
 * YAML nor pull in another reference.
 */
import { dirname, resolve } from 'node:path'
import type { Disk } from './disk.ts'
import type { ConfigPath, LocatedNode, ScalarNode } from './locate.ts'
import type { ProblemList } from './problems.ts'
import { parseReferences, type Reference } from './references-in-text.ts'
import { closest } from '../core/closest-name.ts'

const maxSecretBytes = 64 * 1024

export interface InterpolationContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly problems: ProblemList
  /** Receives the absolute path of every `${file:…}`, found or not, so that it can be watched. */
  readonly inputs: Set<string>
  /** What was read already: a file that is named twice is the same text twice. */
  readonly texts: Map<string, string>
  readonly disk: Disk
}

/** Resolves every reference below a node, in place. Unresolvable ones are reported and marked broken. */
export async function interpolate(node: LocatedNode, context: InterpolationContext, path: ConfigPath = []): Promise<void> {
  if (node.kind === 'list') {
    for (const [index, item] of node.items.entries()) await interpolate(item, context, [...path, index])
  } else if (node.kind === 'map') {
    for (const [key, entry] of node.entries) {
      // A key is a name, and stays what it is: text that looks resolved and is not would be one nobody chose.
      if (key.includes('${')) context.problems.add(entry.key, path, 'a reference cannot stand in a key; write the name itself')
      await interpolate(entry.value, context, [...path, key])
    }
  } else if (typeof node.value === 'string' && node.value.includes('$')) {
    await interpolateScalar(node, node.value, context, path)
  }
}

async function interpolateScalar(node: ScalarNode, text: string, context: InterpolationContext, path: ConfigPath): Promise<void> {
  const parts = parseReferences(text)
  if ('problem' in parts) return fail(node, context, path, parts.problem)
  let result = ''
  for (const part of parts) {
    if (typeof part === 'string') {
      result += part
      continue
    }
    const value = await resolveReference(node, part, context, path)
    if (value === undefined) return
    context.problems.hide(value, part.source)
    node.interpolated = part.source.length === text.length ? 'whole' : 'part'
    result += value
  }
  node.written = text
  node.value = result
}

async function resolveReference(
  node: ScalarNode,
  reference: Reference,
  context: InterpolationContext,
  path: ConfigPath,
): Promise<string | undefined> {
  if ('file' in reference) {
    const name = reference.file
    if (name === '') return fail(node, context, path, '`${file:}` names no file')
    const file = resolve(dirname(node.spot.file.path), name)
    context.inputs.add(file)
    try {
      const text = context.texts.get(file) ?? (await context.disk.text(file, maxSecretBytes)).replace(/\r?\n$/, '')
      context.texts.set(file, text)
      return text
    } catch (error) {
      return fail(node, context, path, `the file \`${name}\` ${error instanceof Error ? error.message : 'cannot be read'}`)
    }
  }
  const { name, fallback } = reference
  const value = Object.hasOwn(context.env, name) ? context.env[name] : undefined
  if (fallback === undefined) {
    if (value !== undefined) return value
    const message = `the environment variable \`${name}\` is not set (a default is written \`\${${name}:-value}\`)`
    return fail(node, context, path, message, closest(name, Object.keys(context.env)))
  }
  // As in a shell, `:-` also stands in for a variable that is set and empty, and only then counts what the default refers to.
  if (value !== undefined && value !== '') return value
  let result = ''
  for (const part of fallback) {
    const text = typeof part === 'string' ? part : await resolveReference(node, part, context, path)
    if (text === undefined) return undefined
    result += text
  }
  return result
}

function fail(node: ScalarNode, context: InterpolationContext, path: ConfigPath, message: string, suggestion?: string): undefined {
  node.broken = true
  context.problems.add(node.spot, path, message, { suggestion })
  return undefined
}
