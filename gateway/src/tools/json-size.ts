/** How large and deep a value of a server is, found without recursion: what is too deep must not be walked by anything else. */
import { isObject, type JsonValue } from '../core/json.ts'

/** The number of values in this one; undefined when there are more than `limit`, or one lies deeper than `depth`. */
export function countNodes(value: JsonValue, depth: number, limit: number): number | undefined {
  let nodes = 0
  const stack: (readonly [JsonValue, number])[] = [[value, 0]]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    nodes += 1
    if (nodes > limit || next[1] > depth) return undefined
    const children = Array.isArray(next[0]) ? next[0] : isObject(next[0]) ? Object.values(next[0]) : []
    for (const child of children) stack.push([child, next[1] + 1])
  }
  return nodes
}
