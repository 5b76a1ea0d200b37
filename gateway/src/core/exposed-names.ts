/**
 * Names under which clients see tools: `server__tool`, at most 64 characters of `[A-Za-z0-9_-]`, which every vendor of
 * models takes (MCP allows dots; OpenAI and Anthropic refuse a call with such a name).
 * Pure. A name that must be changed ends in a hash of what it stands for; a collision is reported, never resolved silently.
 */
import { sha256 } from './hash.ts'

const longest = 64
const unsafe = /[^A-Za-z0-9_-]/g
const hashLength = 8

/** The exposed name of a tool. Depends on nothing but its two arguments. */
export function exposedName(server: string, tool: string): string {
  const full = `${server}__${tool}`
  const safe = full.replace(unsafe, '_')
  if (safe === full && full.length <= longest) return full
  return `${safe.slice(0, longest - hashLength - 1)}_${sha256(full).slice(0, hashLength)}`
}

/** Splits named things into those whose name is theirs alone and the names that several claim. */
export function withoutCollisions<T extends { readonly name: string }>(
  items: readonly T[],
): { readonly unique: readonly T[]; readonly collisions: ReadonlySet<string> } {
  const seen = new Set<string>()
  const collisions = new Set<string>()
  for (const { name } of items) {
    if (seen.has(name)) collisions.add(name)
    seen.add(name)
  }
  return { unique: items.filter(({ name }) => !collisions.has(name)), collisions }
}
