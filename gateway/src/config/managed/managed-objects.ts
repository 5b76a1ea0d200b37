/** Objects that are made over the administration API, all together: reading, changing, comparing, and the text that a configuration is loaded from. Pure. */
import { TurnwardError } from '../../core/error.ts'
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { Snapshot } from '../snapshot.ts'
import { objectKind, objectKinds, type ObjectValue } from './kinds.ts'

/** Kind -> name -> object; kinds in their order, names sorted. */
export type ManagedObjects = Readonly<Record<string, Readonly<Record<string, ObjectValue>>>>

export const noObjects: ManagedObjects = {}

/** One object by what it is called. */
export interface ObjectName {
  readonly kind: string
  readonly name: string
}

export interface ObjectChange extends ObjectName {
  readonly change: 'added' | 'removed' | 'changed'
  readonly before: ObjectValue | undefined
  readonly after: ObjectValue | undefined
}

/** What their source is called, in origins and problems. */
export const consoleOrigin = 'console'

/** Of all objects together, as they are kept. */
export const mostManagedBytes = 1024 * 1024

/** Those of a configuration that runs. */
export function runningObjects({ objects }: Pick<Snapshot, 'objects'>): ManagedObjects {
  const managed = objectKinds.map(({ kind, form }) => {
    const named = [...(objects.get(kind) ?? [])].filter(([, { origin }]) => origin.source === consoleOrigin)
    return [kind, Object.fromEntries(named.map(([name, { value }]) => [name, form === 'named' ? withoutName(value) : value]))]
  })
  return readManagedObjects(Object.fromEntries(managed))
}

/** What its list calls it is its name here. */
function withoutName(value: unknown): unknown {
  const { name: _name, ...rest } = value as JsonObject
  return rest
}

/** From anybody. Throws `request.invalid` for what no configuration could have: an unknown kind, no name, no object. */
export function readManagedObjects(given: unknown): ManagedObjects {
  if (!isObject(given)) throw invalid('objects', 'it is a mapping of kinds to mappings of names to objects')
  const unknown = Object.keys(given).find((kind) => objectKind(kind) === undefined)
  if (unknown !== undefined) throw unknownKind(unknown)
  const read: Record<string, Record<string, ObjectValue>> = {}
  for (const { kind } of objectKinds) {
    const named = Object.hasOwn(given, kind) ? given[kind] : undefined
    if (named === undefined) continue
    if (!isObject(named)) throw invalid(kind, 'it is a mapping of names to objects')
    const names = Object.keys(named).toSorted()
    if (names.length === 0) continue
    read[kind] = Object.fromEntries(names.map((name) => [name, readObject({ kind, name }, named[name])]))
  }
  if (Buffer.byteLength(JSON.stringify(read)) > mostManagedBytes)
    throw invalid('objects', `all together may have ${mostManagedBytes} bytes; keep what is large in the configuration file`)
  return read
}

export function unknownKind(kind: string): TurnwardError {
  return invalid('kind', `there is no kind ${JSON.stringify(kind.slice(0, 64))}: ${objectKinds.map((one) => one.kind).join(', ')}`)
}

function readObject({ kind, name }: ObjectName, value: JsonValue | undefined): ObjectValue {
  const subject = `${kind}/${name.slice(0, 128)}`
  if (name === '' || name.length > 256 || name === '__proto__' || /\p{Cc}/u.test(name))
    throw invalid(subject, 'a name is one line of 1 to 256 characters')
  // Objects of the file that have no name are called by their place in the list.
  if (objectKind(kind)?.form === 'list' && !/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/.test(name))
    throw invalid(subject, 'the name is a letter and up to 62 letters, digits, `_`, `.` or `-`')
  if (!isObject(value) && !Array.isArray(value)) throw invalid(subject, 'it is no object')
  return value
}

function invalid(subject: string, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject, why })
}

export function objectIn(objects: ManagedObjects, { kind, name }: ObjectName): ObjectValue | undefined {
  const named = objects[kind]
  return named !== undefined && Object.hasOwn(named, name) ? named[name] : undefined
}

/** With this object in the place of what has its name; without it where it is undefined. Throws as `readManagedObjects` does. */
export function withObject(objects: ManagedObjects, { kind, name }: ObjectName, value: ObjectValue | undefined): ManagedObjects {
  const { [name]: _before, ...rest } = objects[kind] ?? {}
  return readManagedObjects({ ...objects, [kind]: value === undefined ? rest : { ...rest, [name]: value } })
}

/** What is different, by kind and name. */
export function changesBetween(before: ManagedObjects, after: ManagedObjects): readonly ObjectChange[] {
  return objectKinds.flatMap(({ kind }) => {
    const names = [...new Set([...Object.keys(before[kind] ?? {}), ...Object.keys(after[kind] ?? {})])].toSorted()
    return names.flatMap((name): ObjectChange[] => {
      const [old, new_] = [objectIn(before, { kind, name }), objectIn(after, { kind, name })]
      if (old === undefined) return [{ kind, name, change: 'added', before: old, after: new_ }]
      if (new_ === undefined) return [{ kind, name, change: 'removed', before: old, after: new_ }]
      return canonicalJson(old) === canonicalJson(new_) ? [] : [{ kind, name, change: 'changed', before: old, after: new_ }]
    })
  })
}

/** An object that is not used because it does not go with the file. */
export interface LeftOut extends ObjectName {
  /** Calls could do more without it. */
  readonly restricts: boolean
}

/** What a configuration is loaded from, as the text of its source. */
export interface ManagedText {
  readonly revision: number
  readonly leftOut: readonly LeftOut[]
  readonly objects: ManagedObjects
}

/** JSON with one object after the other, each beginning on a line of its own. */
export function managedText({ revision, leftOut, objects }: ManagedText): string {
  return JSON.stringify({ revision, left_out: leftOut, objects }, null, 1)
}

/** Which object stands at a line of the text (from 1); undefined before the first. */
export function objectAtLine(text: string, line: number): ObjectName | undefined {
  const lines = text.split('\n').slice(0, line)
  const nameAt = lines.findLastIndex((one) => /^ {3}"/.test(one))
  const kindAt = lines.findLastIndex((one) => /^ {2}"/.test(one))
  // Names of an object that ends before the line end with it, and so do kinds.
  if (nameAt < kindAt || kindAt < lines.findIndex((one) => one.startsWith(' "objects"'))) return undefined
  return { kind: keyOf(lines[kindAt]), name: keyOf(lines[nameAt]) }
}

function keyOf(line = ''): string {
  const [text = '""'] = /"(?:[^"\\]|\\.)*"/.exec(line) ?? []
  return String(JSON.parse(text))
}

/** `routes/chat` */
export function objectText({ kind, name }: ObjectName): string {
  return `${kind}/${name}`
}

/** Without those objects. */
export function withoutObjects(objects: ManagedObjects, gone: readonly ObjectName[]): ManagedObjects {
  return gone.reduce((left, one) => withObject(left, one, undefined), objects)
}

/** As JSON that was written from objects. Throws `store.failed` for what a newer release has written, or somebody else. */
export function parseManagedObjects(text: string): ManagedObjects {
  try {
    return readManagedObjects(JSON.parse(text) as JsonObject)
  } catch (cause) {
    throw new TurnwardError('store.failed', {
      subject: 'objects of the configuration',
      why: cause instanceof TurnwardError ? cause.why : 'they cannot be read',
      fix: 'Run the release that wrote this data, or a newer one.',
      cause,
    })
  }
}
