/**
 * Whose answer a long message is, found at its ends: what is long is the result between them. Reads the members before the
 * first that is neither a number nor a short text, and those after the last one; they are the message's own, since it begins
 * with the first brace and ends with the last.
 */
import type { RpcId } from './json-rpc.ts'

const endBytes = 1024
const scalar = String.raw`"(?:[^"\\]|\\.){0,256}"|-?\d{1,16}|null|true|false`
const member = String.raw`"(\w{1,32})"\s*:\s*(${scalar})`
const firstMember = new RegExp(String.raw`\s*${member}\s*,`, 'y')
const lastMembers = new RegExp(String.raw`(?:,\s*"\w{1,32}"\s*:\s*(?:${scalar})\s*){1,8}\}\s*$`)
const eachMember = new RegExp(member, 'g')

/** The id of the request it answers; undefined when it cannot be told, or answers none. `first`, `last`: its ends. */
export function answeredId(first: Buffer, last: Buffer): RpcId | undefined {
  const members = new Map([...membersAtEnd(last), ...membersAtStart(first)])
  if (members.has('method')) return undefined
  const id = members.get('id')
  if (id === undefined) return undefined
  try {
    const value: unknown = JSON.parse(id)
    return typeof value === 'string' || Number.isSafeInteger(value) ? (value as RpcId) : undefined
  } catch {
    return undefined
  }
}

/** Whether it asks or tells something, as far as its beginning says. */
export function namesMethod(first: Buffer): boolean {
  return membersAtStart(first).some(([name]) => name === 'method')
}

function membersAtStart(bytes: Buffer): [string, string][] {
  const text = bytes.toString('latin1', 0, endBytes)
  const start = /^\s*\{/.exec(text)?.[0].length
  const members: [string, string][] = []
  if (start === undefined) return members
  firstMember.lastIndex = start
  for (let found = firstMember.exec(text); found !== null; found = firstMember.exec(text)) members.push([found[1] ?? '', found[2] ?? ''])
  return members
}

function membersAtEnd(bytes: Buffer): [string, string][] {
  const text = bytes.toString('latin1', Math.max(0, bytes.length - endBytes))
  const tail = lastMembers.exec(text)?.[0] ?? ''
  return [...tail.matchAll(eachMember)].map(([, name = '', value = '']) => [name, value])
}
