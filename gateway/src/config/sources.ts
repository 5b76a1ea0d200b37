/**
 * A configuration is made of sources: a file with its includes, and whatever else keeps objects. Each part knows where it
 * was written, and a name that two sources own is an error that names both.
 */
import { resolve } from 'node:path'
import { readConfiguration, type ReadConfiguration, type ReadOptions } from './include.ts'
import type { Spot } from './locate.ts'
import { mergeFile } from './merge.ts'
import { maxFileBytes, parseSource } from './read-file.ts'

export interface ConfigSource {
  /** As people know it: the path of a file, or a name such as `console`. */
  readonly origin: string
  /** What it holds now. Problems go to the list; rejects only when the source itself cannot be asked. */
  read(options: ReadOptions): Promise<ReadConfiguration>
}

/** A file with everything it includes. */
export function fileSource(path: string): ConfigSource {
  const origin = resolve(path)
  return { origin, read: (options) => readConfiguration(origin, options) }
}

/** Sections that say how everything else is kept: only the file may, because it is read before anything is open. */
const fileOnly = ['version', 'include', 'data_dir', 'listen', 'store', 'state', 'cluster', 'workers'] as const

/**
 * Objects kept as YAML or JSON text by somebody else (a table, another process). `${…}` in it stands for itself: such
 * objects are written by people who may not read the gateway's environment or files.
 */
export function textSource(origin: string, text: () => Promise<string>): ConfigSource {
  return {
    origin,
    async read({ problems }) {
      const kept = await text()
      if (kept.trim() === '') return { root: undefined, files: [], complete: true }
      if (kept.length > maxFileBytes) {
        problems.addRaw({
          code: 'config.invalid',
          file: origin,
          line: 1,
          column: 1,
          path: '',
          message: `is larger than ${maxFileBytes} bytes`,
        })
        return { root: undefined, files: [], complete: false }
      }
      const root = parseSource(origin, kept, problems)
      for (const section of fileOnly) {
        const entry = root?.entries.get(section)
        if (entry === undefined) continue
        problems.add(entry.key, [section], `\`${section}\` can be set in the configuration file only`)
        root?.entries.delete(section)
      }
      return { root, files: [], complete: root !== undefined }
    },
  }
}

/** Reads every source and puts them together, in their order. `nameOf`: how a place is called in a problem. */
export async function readSources(
  sources: readonly ConfigSource[],
  options: ReadOptions,
  nameOf: (spot: Spot) => string,
): Promise<ReadConfiguration> {
  let root: ReadConfiguration['root']
  const files: string[] = []
  let complete = true
  for (const source of sources) {
    const read = await source.read(options)
    files.push(...read.files)
    complete &&= read.complete
    if (read.root === undefined) continue
    if (root === undefined) root = read.root
    else mergeFile(root, read.root, options.problems, nameOf)
  }
  return { root, files, complete }
}
