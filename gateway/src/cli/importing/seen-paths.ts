/** Folders and files that a server is told of, and so has to see: what becomes a mount, and what does not. */
import { dirname, isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface PathQuestions {
  /** What is at a path. */
  readonly at: (path: string) => 'folder' | 'file' | undefined
  /** Why a path cannot be mounted; undefined when it can. */
  readonly refused: (path: string) => string | undefined
  readonly home: string
}

export interface SeenPaths {
  /** `PATH:ro` or `PATH:rw`. */
  readonly mounts: readonly string[]
  readonly findings: readonly string[]
  readonly notes: readonly string[]
}

/** Packages that are made to write where they are pointed to: whoever configured one gave it that. */
const writers: ReadonlySet<string> = new Set([
  '@modelcontextprotocol/server-filesystem',
  '@modelcontextprotocol/server-memory',
  'mcp-server-git',
  'mcp-server-sqlite',
])

/** `words`: arguments and values of variables, as plain text. `packageName`: undefined for a server that is no package. */
export function seenPaths(words: readonly string[], packageName: string | undefined, questions: PathQuestions): SeenPaths {
  const writes = packageName !== undefined && writers.has(packageName)
  const mounts = new Map<string, string>()
  const findings: string[] = []
  const notes: string[] = []
  for (const word of words) {
    const path = pathIn(word, questions.home)
    if (path === undefined) continue
    const shown = placeToShow(path, writes, questions)
    if (shown === undefined) {
      if (path.split('/').length > 2) notes.push(`${path} does not exist here, so it is shown nothing of it`)
      continue
    }
    const outcome = showing(shown, questions)
    if ('finding' in outcome) findings.push(outcome.finding)
    else mounts.set(shown, `${shown}:${writes ? 'rw' : 'ro'}`)
  }
  const outer = [...mounts.keys()].filter((path) => ![...mounts.keys()].some((other) => other !== path && contains(other, path)))
  if (outer.length > 0)
    notes.push(
      writes
        ? `sees ${outer.join(', ')} and may write there, because it is made for that: take \`write: true\` away to stop it`
        : `sees ${outer.join(', ')} read-only: add \`write: true\` where it has to write`,
    )
  return { mounts: outer.map((path) => mounts.get(path) ?? path), findings, notes }
}

/** Whether a path may be shown to a server at all, and what to say where not. */
export function showing(path: string, { home, refused }: PathQuestions): { readonly path: string } | { readonly finding: string } {
  const why = contains(path, home) ? 'it is, or holds, a whole home folder' : refused(path)
  return why === undefined
    ? { path }
    : { finding: `it is not shown ${path}: ${why}; name a folder with less in it in \`mounts\` and in its arguments` }
}

/** What of a path a server has to see: a writer replaces files, so it needs their folder. */
function placeToShow(path: string, writes: boolean, { at }: PathQuestions): string | undefined {
  const found = at(path)
  if (found === 'folder' || (found === 'file' && !writes)) return path
  return writes && at(dirname(path)) === 'folder' && (found === 'file' || /\.\w+$/.test(path)) ? dirname(path) : undefined
}

/** The absolute path that a word is or ends in. */
function pathIn(word: string, home: string): string | undefined {
  const value = /^--?[A-Za-z][\w-]*=(.*)$/s.exec(word)?.[1] ?? word
  if (value.startsWith('file:///')) {
    try {
      return resolve(fileURLToPath(value))
    } catch {
      return undefined
    }
  }
  const path = value.replace(/^~(?=\/|$)/, home)
  return isAbsolute(path) && !path.includes('\n') ? resolve(path) : undefined
}

function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`)
}
