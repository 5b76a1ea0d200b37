/**
 * What a value that names something kept is known by: keyed hashes, so that nothing of it is stored. Two ways to write one path
 * are one mark, and a path without its beginning meets the same path with it, whichever of them was written.
 */
import { createHmac } from 'node:crypto'
import type { Caller } from '../../core/principal.ts'
import { clientRun } from '../../policy/types.ts'

/** Where tools keep things: a server's keep is everybody's, a client's that of whoever runs it. */
export interface Keep {
  /** Keyed hash. */
  readonly place: string
  /** The mark of everything in it, for what cannot be told apart. */
  readonly whole: string
  readonly mark: (kind: Kind, value: string) => string
}

/**
 * `is`: written under this very value. `ends`: a longer path ends so. `below`: it lies below this folder. `somewhere`: it has no
 * beginning, so nobody can say below what it lies.
 */
type Kind = 'is' | 'ends' | 'below' | 'somewhere'

const deepest = 64
/** What stands for a folder that only whoever runs the tool knows. */
const aHome = /^(?:~[^/]*|\$\w+|\$\{\w+\}|%\w+%)\//
/** 144 bits. */
const markLength = 24

export function keepOf(secret: Uint8Array, { principal }: Pick<Caller, 'principal'>, server: string): Keep {
  const place = keyed(secret, server === clientRun ? `client\0${principal.id}` : `server\0${server}`)
  return { place, whole: keyed(secret, `${place}\0whole`), mark: (kind, value) => keyed(secret, `${place}\0${kind}\0${value}`) }
}

/** What is marked when something is written; undefined values, and those nobody can tell, mark the whole keep. */
export function writtenMarks(keep: Keep, values: readonly string[] | undefined): readonly string[] {
  const marks = new Set<string>()
  for (const value of values ?? [undefined]) {
    const path = value === undefined ? undefined : pathOf(value)
    if (path === undefined) return [keep.whole]
    marks.add(keep.mark('is', textOf(path)))
    for (const end of endsOf(path)) marks.add(keep.mark('ends', end))
    if (path.root === undefined) marks.add(keep.mark('somewhere', ''))
    else
      for (let at = 0; at < path.parts.length; at += 1) marks.add(keep.mark('below', textOf({ ...path, parts: path.parts.slice(0, at) })))
  }
  return [...marks]
}

/** The marks that count when something is read; undefined: all there are. */
export function readMarks(keep: Keep, values: readonly string[] | undefined, below: boolean): readonly string[] | undefined {
  if (values === undefined) return undefined
  const marks = new Set([keep.whole])
  for (const value of values) {
    const path = pathOf(value)
    if (path === undefined || (below && path.root === undefined)) return undefined
    marks.add(keep.mark('is', textOf(path)))
    marks.add(keep.mark('ends', textOf(path)))
    for (const end of endsOf(path)) marks.add(keep.mark('is', end))
    if (below) marks.add(keep.mark('below', textOf(path))).add(keep.mark('somewhere', ''))
  }
  return [...marks]
}

interface Path {
  /** Undefined: it does not say where it begins. */
  readonly root: string | undefined
  readonly parts: readonly string[]
}

/** A value as a path, which every id is too; undefined for one that names a whole keep, such as `/` or `.`, or several things at once. */
function pathOf(value: string): Path | undefined {
  const text = value
    .normalize('NFKC')
    .trim()
    .toLowerCase()
    .replaceAll('\\', '/')
    .replace(/^file:\/\//, '')
    .replace(aHome, '')
  const root = /^(?:[a-z]:)?\//.exec(text)?.[0]
  const parts: string[] = []
  for (const part of text.slice(root?.length ?? 0).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.length === 0 || parts.length > deepest || text.includes('*') ? undefined : { root, parts }
}

function textOf({ root = '', parts }: Path): string {
  return root + parts.join('/')
}

/** The path without its beginning, in every length. */
function endsOf({ root, parts }: Path): readonly string[] {
  return parts.map((_part, at) => parts.slice(at).join('/')).slice(root === undefined ? 1 : 0)
}

function keyed(secret: Uint8Array, text: string): string {
  return createHmac('sha256', secret).update(`remembered\0${text}`).digest('base64url').slice(0, markLength)
}
