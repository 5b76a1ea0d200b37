/** A client's file as plain data. It may be anybody's: bounded in size and depth, and what is wrong is said without quoting it. */
import JSON5 from 'json5'
import { parse as parseToml } from 'smol-toml'
import { readText } from '../../config/read-file.ts'

/** Claude Code keeps its whole state in the file with its servers, a few MB at most. */
const mostBytes = 8 * 1024 * 1024
const deepest = 64

/** What the file holds. Rejects with an Error whose message says why it cannot be used, without its path and its text. */
export async function readClientFile(path: string): Promise<unknown> {
  return parseClientFile(await readText(path, mostBytes), path.toLowerCase().endsWith('.toml') ? 'toml' : 'json')
}

/** JSON may have comments and trailing commas, as editors take it. Throws an Error that quotes nothing. */
export function parseClientFile(text: string, format: 'json' | 'toml'): unknown {
  if (text.trim() === '') return {}
  const value = format === 'toml' ? toml(text) : json(text)
  if (isDeeper(value, deepest)) throw new Error(`is nested more than ${deepest} levels deep`)
  return value
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Most files are JSON; what is not may be JSON for people.
  }
  try {
    return JSON5.parse(text)
  } catch (error) {
    throw new Error(`is not JSON${placeOf(error, 'lineNumber', 'columnNumber')}`, { cause: error })
  }
}

function toml(text: string): unknown {
  try {
    return parseToml(text)
  } catch (error) {
    throw new Error(`is not TOML${placeOf(error, 'line', 'column')}`, { cause: error })
  }
}

/** Where a parser stopped. Its own message quotes the text, in which there are secrets. */
function placeOf(error: unknown, line: string, column: string): string {
  const place = error instanceof Error ? (error as Error & Record<string, unknown>) : undefined
  return typeof place?.[line] === 'number' && typeof place[column] === 'number' ? ` at ${place[line]}:${place[column]}` : ''
}

function isDeeper(value: unknown, levels: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
  }
  return false
}
