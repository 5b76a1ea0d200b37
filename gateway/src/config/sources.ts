/**
 * A configuration is made of sources: a file with its includes, and whatever else keeps objects. Each part knows where it
 * was written, and a name that two sources own is an error that names both.
 */
import { resolve } from 'node:path'
import { readConfiguration, type ReadConfiguration, type ReadOptions } from './include.ts'
import type { MapNode, Spot } from './locate.ts'
import { mergeFile } from './merge.ts'

export interface ConfigSource {
  /** As people know it: the path of a file, or a name such as `console`. */
  readonly origin: string
  /**
   * What it holds now. Problems go to the list; rejects only when the source itself cannot be asked. `before`: what the sources before it
   * hold together. `placeOf`: how a place is called in a problem.
   */
  read(options: ReadOptions, before?: MapNode, placeOf?: (spot: Spot) => string): Promise<ReadConfiguration>
}

/** A file with everything it includes. */
export function fileSource(path: string): ConfigSource {
  const origin = resolve(path)
  return { origin, read: (options) => readConfiguration(origin, options) }
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
  let managed: ReadConfiguration['managed']
  const placeOf = (spot: Spot): string => `${nameOf(spot)}:${spot.file.lines.linePos(spot.offset).line}`
  for (const source of sources) {
    const read = await source.read(options, root, placeOf)
    files.push(...read.files)
    complete &&= read.complete
    managed ??= read.managed
    if (read.root === undefined) continue
    if (root === undefined) root = read.root
    else mergeFile(root, read.root, options.problems, nameOf)
  }
  return { root, files, complete, managed }
}
