/** No file of the gateway needs itself to be loaded, over whatever others: a cycle is a room that has not been cut where it should be. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative } from 'node:path'
import { expect, test } from 'vitest'

const source = join(import.meta.dirname, '../gateway/src')

type Graph = ReadonlyMap<string, readonly string[]>

/** What a file loads of our own. `import type` loads nothing. */
function loadedBy(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8')
  const statements = text.matchAll(/^(?:import|export)\s+(?!type\b)[^'";]*?from\s+'(\.[^']+)'|^import\s+'(\.[^']+)'/gm)
  return [...statements].map((match) => posix.join(posix.dirname(file), match[1] ?? match[2] ?? ''))
}

function graphOfSources(): Graph {
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(source, join(entry.parentPath, entry.name)))
  return new Map(files.map((file) => [file, loadedBy(file)]))
}

/** The sets of files that need each other (Tarjan 1972), each sorted. */
function cyclesOf(graph: Graph): string[][] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const cycles: string[][] = []
  const visit = (file: string): number => {
    const place = order.size
    order.set(file, place)
    lowest.set(file, place)
    open.push(file)
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) lowest.set(file, Math.min(lowest.get(file) ?? place, visit(next)))
      else if (open.includes(next)) lowest.set(file, Math.min(lowest.get(file) ?? place, order.get(next) ?? place))
    }
    if (lowest.get(file) === place) {
      const members = open.splice(open.indexOf(file))
      if (members.length > 1 || graph.get(file)?.includes(file) === true) cycles.push(members.sort())
    }
    return lowest.get(file) ?? place
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return cycles
}

test('a cycle is found, however long, and a chain is none', () => {
  const ring = new Map([
    ['a.ts', ['b.ts']],
    ['b.ts', ['c.ts', 'd.ts']],
    ['c.ts', ['a.ts']],
    ['d.ts', []],
    ['e.ts', ['e.ts']],
    ['f.ts', ['a.ts']],
  ])
  expect(cyclesOf(ring)).toEqual([['a.ts', 'b.ts', 'c.ts'], ['e.ts']])
})

test('what files load of each other is read from the sources', () => {
  const graph = graphOfSources()
  expect(graph.get('policy/decide.ts')).toContain('policy/gaps.ts')
  // A type is no reason to load a file.
  expect(graph.get('policy/evidence.ts')).not.toContain('policy/types.ts')
})

test('no source file needs itself', () => {
  expect(cyclesOf(graphOfSources())).toEqual([])
})
