/**
 * From a path to a snapshot: read, interpolate, merge, validate, check, compile. Either everything is right
 * or a ConfigError names all that is not; there is nothing in between.
 */
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { configSchema } from '@turnward/contract/config'
import { buildSnapshot, checkConfig } from './compile.ts'
import { realDisk, type Disk } from './disk.ts'
import type { ReadConfiguration } from './include.ts'
import { nodeAt, plainValue, spotOf, type ConfigPath, type MapNode, type Spot } from './locate.ts'
import { ConfigError, ProblemList, type ReportAt } from './problems.ts'
import { declaredNames, type DeclaredNames } from './references.ts'
import { salvage } from './salvage.ts'
import { reportIssues } from './schema-problems.ts'
import { compileApis, readServerDocuments, type ServerDocuments } from './openapi/server-documents.ts'
import { objectsIn, originsIn } from './origins.ts'
import { loadShadow } from './shadow.ts'
import type { Snapshot } from './snapshot.ts'
import { fileSource, readSources, type ConfigSource } from './sources.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface LoadAttempt {
  readonly outcome: Snapshot | ConfigError
  /** Every file and folder the outcome depends on, found or not, absolute: what to watch. */
  readonly inputs: ReadonlySet<string>
}

/**
 * Loads a configuration file, and what other sources add to it. `env` is what `${NAME}` in files refers to. Throws
 * ConfigError with every problem found.
 */
export async function loadConfig(path: string, env: Environment, others: readonly ConfigSource[] = []): Promise<Snapshot> {
  const { outcome } = await attemptLoad(path, env, others)
  if (outcome instanceof ConfigError) throw outcome
  return outcome
}

/** Like `loadConfig`, and says what the outcome depends on also when it is an error. `disk`: where the files are read. */
export async function attemptLoad(
  path: string,
  env: Environment,
  others: readonly ConfigSource[] = [],
  disk: Disk = realDisk,
  /** A draft that is decided beside another configuration has none of its own. */
  isDraft = false,
): Promise<LoadAttempt> {
  const main = resolve(path)
  const problems = new ProblemList()
  const inputs = new Set<string>()
  const placeOf = ({ file }: Spot): string => (isAbsolute(file.path) ? relative(dirname(main), file.path) : file.path)
  const read = await readSources([fileSource(main), ...others], { env, problems, inputs, texts: new Map(), disk, isDraft }, placeOf)
  const documents = read.root && (await readServerDocuments(read.root, dirname(main), { disk, inputs }))
  const snapshot = read.root && compileTree(read.root, read, problems, documents ?? new Map())
  if (read.root !== undefined && snapshot !== undefined && !isDraft) {
    const shadow = await loadShadow(read.root, main, snapshot, problems, async (draftPath) => {
      const draft = await attemptLoad(draftPath, env, others, disk, true)
      for (const input of draft.inputs) inputs.add(input)
      return draft.outcome
    })
    if (problems.size > 0) return { outcome: new ConfigError(problems.sorted(), dirname(main)), inputs }
    if (shadow !== undefined) return { outcome: Object.freeze({ ...snapshot, shadow }), inputs }
  }
  return { outcome: snapshot ?? new ConfigError(problems.sorted(), dirname(main)), inputs }
}

function compileTree(
  root: MapNode,
  { files, complete, managed }: ReadConfiguration,
  problems: ProblemList,
  documents: ServerDocuments,
): Snapshot | undefined {
  const report: ReportAt = (path, message, options = {}) =>
    problems.add(spotOf(root, path, options.where ?? 'value'), path, message, options)
  const broken = brokenPaths(root)
  const result = validate(root)
  const names = namesIn(root)
  if (result.success && problems.size === 0) {
    const policy = checkConfig(result.data, names, report)
    const apis = compileApis(result.data, documents, report)
    const main = files[0]
    return policy && problems.size === 0 && main !== undefined
      ? buildSnapshot(result.data, policy, {
          files,
          dataDir: resolve(dirname(main), result.data.data_dir),
          origins: originsIn(root),
          objects: objectsIn(root),
          managed,
          notices: problems.notices(),
          apis,
        })
      : undefined
  }
  const issues = result.success ? [] : result.error.issues
  reportIssues(issues, root, plainValue(root), report)
  if (!complete) return undefined
  const paths = [
    ...broken,
    ...issues.flatMap((issue): ConfigPath[] =>
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
    ),
  ]
  const saved = salvage(plainValue(root) as Record<string, unknown>, paths)
  const rest = configSchema.safeParse(saved.data)
  // Without the rank names and limits of `policy` nothing that refers to them can be judged.
  if (rest.success && !saved.lost.has('policy'))
    checkConfig(rest.data, names, (at, message, options) => report(saved.original(at), message, options))
  return undefined
}

/** Validates; text from a reference becomes a number or boolean where the schema asks for one. */
function validate(root: MapNode): ReturnType<typeof configSchema.safeParse> {
  const result = configSchema.safeParse(plainValue(root))
  if (result.success) return result
  let changed = false
  for (const issue of result.error.issues) {
    const node = issue.code === 'invalid_type' ? nodeAt(root, issue.path) : undefined
    if (
      issue.code !== 'invalid_type' ||
      node?.kind !== 'scalar' ||
      node.interpolated !== 'whole' ||
      node.broken ||
      typeof node.value !== 'string'
    )
      continue
    const value = coerced(node.value, issue.expected)
    if (value === undefined) continue
    node.value = value
    changed = true
  }
  return changed ? configSchema.safeParse(plainValue(root)) : result
}

function coerced(text: string, expected: string): number | boolean | undefined {
  if (expected === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined
  if (expected === 'number' || expected === 'int') return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : undefined
  return undefined
}

function brokenPaths(root: MapNode): ConfigPath[] {
  const found: ConfigPath[] = []
  const walk = (node: ReturnType<typeof nodeAt>, path: ConfigPath): void => {
    if (node?.kind === 'map') for (const [key, entry] of node.entries) walk(entry.value, [...path, key])
    else if (node?.kind === 'list') for (const [index, item] of node.items.entries()) walk(item, [...path, index])
    else if (node?.broken === true) found.push(path)
  }
  walk(root, [])
  return found
}

function namesIn(root: MapNode): DeclaredNames {
  return declaredNames((section) => {
    const node = nodeAt(root, [section])
    return node?.kind === 'map' ? node.entries.keys() : []
  })
}
