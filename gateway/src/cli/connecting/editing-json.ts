/** Changes one value of a JSON text and leaves every other byte as it is: order, comments, indentation. */
import type { Step } from '@turnward/contract/connect/entry'
import type { JsonValue } from '../../core/json.ts'
import { jsonTree, type JsonMember, type JsonNode } from './json-tree.ts'

type Path = readonly Step[]

/** With the value at the path, in the place of what was there. */
export function withJsonValue(text: string, path: Path, value: JsonValue): string {
  const root = jsonTree(text)
  if (root === undefined) return `${written(nested(path, value), '')}\n`
  let node = root
  for (const [depth, step] of path.entries()) {
    const member = memberOf(text, node, step)
    if (member === undefined) return withMember(text, node, step, nested(path.slice(depth + 1), value))
    node = member.value
  }
  return text.slice(0, node.start) + written(value, indentAt(text, node.start)) + text.slice(node.end)
}

/** Without what is at the path. The text as it is when nothing is. */
export function withoutJsonValue(text: string, path: Path): string {
  let node = jsonTree(text)
  for (const step of path.slice(0, -1)) node = node === undefined ? undefined : memberOf(text, node, step)?.value
  const last = path.at(-1)
  const member = node === undefined || last === undefined ? undefined : memberOf(text, node, last)
  if (node?.members === undefined || member === undefined) return text
  const at = node.members.indexOf(member)
  const [before, after] = [node.members[at - 1], node.members[at + 1]]
  if (before !== undefined) return text.slice(0, before.value.end) + text.slice(member.value.end)
  if (after !== undefined) return text.slice(0, member.start) + text.slice(after.start)
  // The only one: with the white space around it, and a comma that may stand behind it. A comment before it keeps its line.
  const head = text.slice(0, member.start).trimEnd()
  return head + (head.length === node.start + 1 ? '' : '\n') + text.slice(member.value.end).replace(/^\s*,?\s*/, '')
}

function memberOf(text: string, { members }: JsonNode, step: Step): JsonMember | undefined {
  return members?.find(({ key, value }) => (typeof step === 'string' ? key === step : idOf(text, value) === step.id))
}

function idOf(text: string, { members }: JsonNode): unknown {
  const id = members?.find(({ key }) => key === 'id')?.value
  return id === undefined || id.members !== undefined ? undefined : JSON.parse(text.slice(id.start, id.end))
}

function withMember(text: string, node: JsonNode, step: Step, value: JsonValue): string {
  const { members = [], start, end } = node
  const key = typeof step === 'string' ? `${JSON.stringify(step)}: ` : ''
  const last = members.at(-1)
  if (last === undefined) {
    const outer = indentAt(text, start)
    const inside = text.slice(start + 1, end - 1).trimEnd()
    return `${text.slice(0, start + 1)}${inside}\n${outer}  ${key}${written(value, `${outer}  `)}\n${outer}${text.slice(end - 1)}`
  }
  const isSpread = text.slice(start, members[0]?.start).includes('\n')
  const indent = isSpread ? indentAt(text, last.start) : ''
  const lead = isSpread ? `,\n${indent}` : ', '
  const added = isSpread ? written(value, indent) : JSON.stringify(value)
  return text.slice(0, last.value.end) + lead + key + added + text.slice(last.value.end)
}

function nested(path: Path, value: JsonValue): JsonValue {
  return path.reduceRight<JsonValue>((inner, step) => (typeof step === 'string' ? { [step]: inner } : [inner]), value)
}

function written(value: JsonValue, indent: string): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${indent}`)
}

/** White space that the line of a place begins with. */
function indentAt(text: string, at: number): string {
  return /^[\t ]*/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1))?.[0] ?? ''
}
