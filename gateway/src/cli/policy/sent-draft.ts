/**
 * A draft of the policy that somebody sends: checked with its lines, and compiled as if it lay beside the configuration. It names no
 * server, no secret and no file besides those of the configuration, and nothing of what runs is touched.
 */
import { dirname, join, resolve } from 'node:path'
import { realDisk } from '../../config/disk.ts'
import { attemptLoad } from '../../config/load.ts'
import { plainValue, spotOf, type ConfigPath, type MapNode } from '../../config/locate.ts'
import { managedText, runningObjects } from '../../config/managed/managed-objects.ts'
import { diskWith, managedSource } from '../../config/managed/managed-source.ts'
import { scalarsIn } from '../../config/managed/secret-fields.ts'
import { ConfigError, ProblemList, type ConfigProblem } from '../../config/problems.ts'
import { parseSource } from '../../config/read-file.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'

const draftSections: ReadonlySet<string> = new Set([
  'version',
  'include',
  'policy',
  'packs',
  'contracts',
  'rules',
  'grants',
  'values',
  'groups',
  'principals',
  'approvals',
])

export interface SentDraft {
  /** Where it would lie: problems say this for its own lines. */
  readonly path: string
  /** What it says itself; undefined where it is no mapping. */
  readonly says: JsonObject | undefined
  /** Undefined where something is wrong with it. */
  readonly snapshot: Snapshot | undefined
  readonly problems: readonly ConfigProblem[]
}

/** Reads and compiles a draft together with the configuration that runs. Throws `request.invalid` where no file runs. */
export async function readSentDraft(running: Snapshot, text: string): Promise<SentDraft> {
  const { files, managed } = running
  const [main] = files
  if (main === undefined) throw invalid('draft', 'this gateway runs on no file')
  const path = join(dirname(main), 'draft (sent).yaml')
  const problems = new ProblemList()
  const root = parseSource(path, text, problems)
  if (root === undefined) return { path, says: undefined, snapshot: undefined, problems: problems.sorted() }
  reportForeign(root, files, problems)
  const says = plainValue(root) as JsonObject
  if (problems.size > 0) return { path, says, snapshot: undefined, problems: problems.sorted() }
  const disk = { ...realDisk, text: async (file: string, limit: number) => (file === path ? text : realDisk.text(file, limit)) }
  // It replaces what it declares, of the file and of what was made over the API; the rest of that stays.
  const objects = managedText({ revision: managed.revision, leftOut: [], objects: runningObjects(running) })
  const { outcome } = await attemptLoad(path, process.env, [managedSource], diskWith(disk, objects), true)
  if (outcome instanceof ConfigError) return { path, says, snapshot: undefined, problems: outcome.problems }
  return { path, says, snapshot: outcome, problems: [] }
}

/** The draft, compiled. Throws `request.invalid` with what is wrong with it. */
export async function compiledDraft(running: Snapshot, text: string): Promise<Snapshot> {
  const { snapshot, problems } = await readSentDraft(running, text)
  if (snapshot !== undefined) return snapshot
  const told = problems.slice(0, 5).map(({ line, message }) => `line ${line}: ${message}`)
  throw invalid('draft', told.join('; '))
}

/** What a draft may not have, each at its line. */
function reportForeign(root: MapNode, files: readonly string[], problems: ProblemList): void {
  const report = (path: ConfigPath, message: string): void => problems.add(spotOf(root, path, 'key'), path, message)
  // As it is read, however it is written: `"\x24{HOME}"` is one as well.
  for (const [{ spot, value }, path] of scalarsIn(root))
    if (typeof value === 'string' && value.includes('${'))
      problems.add(spot, path, 'it refers to no variable and no file: `${` must not be in it')
  for (const name of root.entries.keys())
    if (!draftSections.has(name))
      report([name], `there is no \`${name.slice(0, 64)}\` in a draft that is sent: it has ${[...draftSections].join(', ')}`)
  const include = root.entries.get('include')?.value
  const included = include === undefined ? [] : plainValue(include)
  const folder = dirname(files[0] ?? '')
  if (!Array.isArray(included) || included.some((file) => typeof file !== 'string' || !files.includes(resolve(folder, file))))
    report(['include'], 'a draft that is sent includes files of the configuration only')
}

function invalid(subject: string, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject, why })
}
