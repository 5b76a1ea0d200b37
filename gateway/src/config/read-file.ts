/**
 * One YAML file to a located tree. Everything that could make the same text mean two things (duplicate keys,
 * unknown tags, several documents) or cost more than its size (aliases, depth) is refused.
 */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml'
import type { LocatedNode, MapEntry, MapNode, SourceFile, Spot } from './locate.ts'
import type { ProblemList } from './problems.ts'

export const maxFileBytes = 4 * 1024 * 1024
/** A named pipe must be refused, not waited for. */
const readWithoutWaiting = constants.O_RDONLY | constants.O_NONBLOCK
const maxAliases = 100
const maxNodes = 200_000
const maxDepth = 64

/** Text of a regular file of at most `limit` bytes. Throws an Error whose message says why not, without the path. */
export async function readText(path: string, limit: number): Promise<string> {
  const handle = await open(path, readWithoutWaiting).catch((error: unknown) => {
    throw new Error(reasonOf(error), { cause: error })
  })
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new Error(stat.isDirectory() ? 'is a folder' : 'is not a regular file')
    const buffer = Buffer.alloc(Math.min(stat.size, limit) + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
      length += bytesRead
      if (bytesRead === 0) break
      if (length > limit) throw new Error(`is larger than ${limit} bytes`)
      if (length === buffer.length) throw new Error('changed while it was read')
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length))
  } catch (error) {
    if (error instanceof TypeError) throw new Error('is not valid UTF-8', { cause: error })
    throw error
  } finally {
    await handle.close()
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user'
  return `cannot be read (${typeof code === 'string' ? code : 'unknown error'})`
}

/** Plain words per parser error; the parser's own messages may quote the source, which may hold a secret. */
const yamlMessages: Record<string, string> = {
  BAD_ALIAS: 'this alias has no anchor before it',
  BAD_DQ_ESCAPE: 'unknown escape in a double-quoted string',
  BAD_INDENT: 'wrong indentation, or a missing `]` or `}`',
  BAD_SCALAR_START: 'a plain value cannot start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a value cannot start here; is there a missing line break, or are quotes needed around a `:`?',
  MISSING_CHAR: 'a quote, bracket, comma or `:` is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; is a `:` missing?',
  MULTIPLE_DOCS: 'only one YAML document per file; split it into files and `include` them',
  NON_STRING_KEY: 'keys must be plain strings',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'tabs cannot indent YAML; use spaces',
  TAG_RESOLVE_FAILED: 'unknown YAML tag',
  UNEXPECTED_TOKEN: 'not valid YAML here',
}

/**
 * Parses a file that was read. Problems are added to the list; undefined when nothing usable came out. `isPrivate`: its lines are
 * never quoted. `mostAliases`: more are refused; what they stand for is counted as often as it is there.
 */
export function parseSource(
  path: string,
  text: string,
  problems: ProblemList,
  isPrivate = false,
  mostAliases = maxAliases,
): MapNode | undefined {
  const lines = new LineCounter()
  const file: SourceFile = { path, text, lines, isPrivate }
  let document: Document.Parsed
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      stringKeys: true,
      version: '1.2',
      merge: false,
      logLevel: 'error',
    })
  } catch {
    problems.add({ file, offset: 0 }, [], 'the file is nested too deeply to be parsed')
    return undefined
  }
  const error = document.errors[0] ?? document.warnings[0]
  if (error !== undefined) {
    // The first error only: the rest of the file was read in its light.
    const offset = error.pos[0]
    problems.add(
      { file, offset },
      [],
      openReference(text, offset) ? 'put `"${…}"` in quotes inside `{ }` and `[ ]`' : (yamlMessages[error.code] ?? 'not valid YAML here'),
    )
    return undefined
  }
  const start: Spot = { file, offset: 0 }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    // Hardly ever meant: an editor that truncates before it writes, a full disk. Every key and grant would be gone.
    problems.add(start, [], 'the file is empty; write `{}` if that is meant')
    return undefined
  }
  const root = new TreeBuilder(document, file, problems, mostAliases).build(document.contents, 0, [])
  if (root === undefined) return undefined
  if (root.kind === 'map') return root
  problems.add(root.spot, [], 'a configuration file is a mapping of sections, such as `servers:`')
  return undefined
}

/** Whether a plain `${` stands shortly before: YAML takes its brace for the start of a mapping. */
function openReference(text: string, offset: number): boolean {
  const line = text.slice(Math.max(text.lastIndexOf('\n', offset - 1) + 1, offset - 200), offset + 1)
  return /[{[,:]\s*\$\{?[^"']*$/.test(line) && /[{[].*\$\{?/.test(line)
}

class TreeBuilder {
  readonly #document: Document.Parsed
  readonly #file: SourceFile
  readonly #problems: ProblemList
  readonly #mostAliases: number
  #targets: ReadonlyMap<Node, Node> | undefined
  #aliases = 0
  #nodes = 0

  constructor(document: Document.Parsed, file: SourceFile, problems: ProblemList, mostAliases: number) {
    this.#document = document
    this.#file = file
    this.#problems = problems
    this.#mostAliases = mostAliases
  }

  /** Undefined means refused, and reported. */
  build(node: unknown, depth: number, path: readonly PropertyKey[]): LocatedNode | undefined {
    const offset = rangeStart(node) ?? 0
    const spot: Spot = { file: this.#file, offset }
    if (++this.#nodes > maxNodes || depth > maxDepth)
      return this.#refuse(spot, path, depth > maxDepth ? `nested more than ${maxDepth} levels deep` : `more than ${maxNodes} values`)
    if (isAlias(node)) {
      if (++this.#aliases > this.#mostAliases) return this.#refuse(spot, path, `more than ${this.#mostAliases} aliases`)
      const target = (this.#targets ??= aliasTargets(this.#document)).get(node)
      return target === undefined ? this.#refuse(spot, path, 'this alias has no anchor before it') : this.build(target, depth + 1, path)
    }
    if (isSeq(node)) {
      const items: LocatedNode[] = []
      for (const [index, item] of node.items.entries()) {
        const built = this.build(item, depth + 1, [...path, index])
        if (built === undefined) return undefined
        items.push(built)
      }
      return { kind: 'list', spot, items }
    }
    if (isMap(node)) {
      const entries = new Map<string, MapEntry>()
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : ''
        const keySpot: Spot = { file: this.#file, offset: rangeStart(pair.key) ?? offset }
        if (key === '__proto__' || key === '') {
          this.#problems.add(keySpot, path, 'this cannot be used as a key')
          continue
        }
        const first = entries.get(key)
        if (first !== undefined) {
          this.#problems.add(
            keySpot,
            [...path, key],
            `\`${key}\` is declared twice; first on line ${this.#file.lines.linePos(first.key.offset).line}`,
          )
          continue
        }
        const value = pair.value === null ? emptyAt(keySpot) : this.build(pair.value, depth + 1, [...path, key])
        if (value === undefined) return undefined
        entries.set(key, { key: keySpot, value })
      }
      return { kind: 'map', spot, entries }
    }
    if (!isScalar(node)) return emptyAt(spot)
    const value = node.value
    if (value !== null && typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      return this.#refuse(spot, path, 'this kind of YAML value is not used here')
    return { kind: 'scalar', spot, value, empty: value === null && (node.source ?? '') === '', interpolated: 'no', broken: false }
  }

  #refuse(spot: Spot, path: readonly PropertyKey[], message: string): undefined {
    this.#problems.add(spot, path, message)
    return undefined
  }
}

/** What each alias stands for: the last one before it that has its anchor. The document is read once, however many there are. */
function aliasTargets(document: Document.Parsed): ReadonlyMap<Node, Node> {
  const [anchored, targets] = [new Map<string, Node>(), new Map<Node, Node>()]
  visit(document, {
    Node(_key, node) {
      const target = isAlias(node) ? anchored.get(node.source) : undefined
      if (target !== undefined) targets.set(node, target)
      if ('anchor' in node && node.anchor !== undefined) anchored.set(node.anchor, node)
    },
  })
  return targets
}

function emptyAt(spot: Spot): LocatedNode {
  return { kind: 'scalar', spot, value: null, empty: true, interpolated: 'no', broken: false }
}

function rangeStart(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined
  return Array.isArray(node.range) && typeof node.range[0] === 'number' ? node.range[0] : undefined
}
