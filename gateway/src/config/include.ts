/**
 * Reads a configuration file and everything it includes into one located tree. A name may be declared once
 * in all files together; nothing is ever overridden silently.
 */
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Disk } from './disk.ts'
import { interpolate } from './interpolate.ts'
import type { LocatedNode, MapNode, Spot } from './locate.ts'
import { mergeFile } from './merge.ts'
import type { ProblemList } from './problems.ts'
import { maxFileBytes, parseSource } from './read-file.ts'
import type { ManagedFacts } from './snapshot.ts'

const maxFiles = 256
const maxIncludeDepth = 8

/** What reading found, also when parts of it could not be read. */
export interface ReadConfiguration {
  /** All files merged; undefined when the main file gave nothing usable. */
  readonly root: MapNode | undefined
  /** Files read, absolute, the main file first. */
  readonly files: readonly string[]
  /** False when a file is missing from the whole, so that names it may declare are not known. */
  readonly complete: boolean
  /** Of objects that were made over the administration API, where the source has them. */
  readonly managed?: ManagedFacts | undefined
}

export interface ReadOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly problems: ProblemList
  /** Receives every file and folder the result depends on, found or not, absolute. */
  readonly inputs: Set<string>
  /** Files that values refer to, read once per load. */
  readonly texts: Map<string, string>
  readonly disk: Disk
  /** A draft is read: what it declares stands in the place of objects of the same name that were made over the API. */
  readonly isDraft?: boolean
}

/** Reads the main file and its includes. Problems go to the list; this never throws for what a file contains. */
export async function readConfiguration(path: string, options: ReadOptions): Promise<ReadConfiguration> {
  const reader = new IncludeReader(resolve(path), options)
  await reader.read(reader.main, [], undefined)
  return { root: reader.root, files: [...reader.files.values()], complete: reader.complete }
}

class IncludeReader {
  readonly main: string
  /** Real path -> path as named. */
  readonly files = new Map<string, string>()
  root: MapNode | undefined
  complete = true
  readonly #options: ReadOptions

  constructor(main: string, options: ReadOptions) {
    this.main = main
    this.#options = options
  }

  /** `chain`: real paths of the files that led here. `from`: where the include is written. */
  async read(path: string, chain: readonly string[], from: Spot | undefined): Promise<void> {
    const { problems, inputs, disk } = this.#options
    inputs.add(path)
    const real = await disk.realPath(path)
    if (chain.includes(real)) return this.#refuse(from, path, 'includes itself')
    if (this.files.has(real)) return this.#refuse(from, path, 'is included twice')
    if (this.files.size >= maxFiles) return this.#refuse(from, path, `is one file too many (at most ${maxFiles})`)
    if (chain.length > maxIncludeDepth) return this.#refuse(from, path, `is included more than ${maxIncludeDepth} levels deep`)
    let text: string
    try {
      text = await disk.text(path, maxFileBytes)
    } catch (error) {
      return this.#refuse(from, path, error instanceof Error ? error.message : 'cannot be read')
    }
    this.files.set(real, path)
    const tree = parseSource(path, text, problems)
    if (tree === undefined) {
      this.complete = false
      return
    }
    await interpolate(tree, this.#options)
    if (this.root === undefined) this.root = { kind: 'map', spot: tree.spot, entries: new Map() }
    mergeFile(this.root, tree, problems, (spot) => relative(dirname(this.main), spot.file.path))
    const include = tree.entries.get('include')?.value
    if (include?.kind !== 'list') return
    for (const item of include.items) await this.#include(item, dirname(path), [...chain, real])
  }

  async #include(item: LocatedNode, folder: string, chain: readonly string[]): Promise<void> {
    // Anything but a string is left to the schema, which refuses it with the right words.
    if (item.kind !== 'scalar' || typeof item.value !== 'string' || item.broken) return
    const path = resolve(folder, item.value)
    if (!(await this.#options.disk.isFolder(path))) return this.read(path, chain, item.spot)
    this.#options.inputs.add(path)
    const names = await this.#options.disk.names(path)
    if (names === undefined) return this.#refuse(item.spot, path, 'may not be read by this user')
    for (const name of names.filter((entry) => entry.endsWith('.yaml') && !entry.startsWith('.')).toSorted())
      await this.read(join(path, name), chain, item.spot)
  }

  #refuse(from: Spot | undefined, path: string, why: string): void {
    this.complete = false
    if (from !== undefined)
      return this.#options.problems.add(from, ['include'], `the included file \`${relative(dirname(this.main), path)}\` ${why}`)
    this.#options.problems.addRaw({
      code: 'config.invalid',
      file: path,
      line: 1,
      column: 1,
      path: '',
      message: `the configuration file \`${basename(path)}\` ${why}`,
    })
  }
}
