/** Objects of the configuration as they may be seen: those of the file as they run, those that are managed as the newest revision has them. */
import { objectKind, type ObjectValue } from '../../config/managed/kinds.ts'
import {
  consoleOrigin,
  objectIn,
  unknownKind,
  type ManagedObjects,
  type ObjectChange,
  type ObjectName,
} from '../../config/managed/managed-objects.ts'
import { shownObject } from '../../config/managed/secret-fields.ts'
import type { Origin, Snapshot } from '../../config/snapshot.ts'
import { notFound } from './configuration.ts'
import { etagOf } from './preconditions.ts'

export interface ShownObject extends ObjectName {
  readonly managed: 'console' | 'file'
  /** Of a managed one that does not run: absent. */
  readonly place?: Origin
  readonly etag: string
  readonly value: ObjectValue
}

/** Every object of a kind, by name. Throws `request.invalid` for an unknown kind. */
export function shownObjects(
  kind: string,
  { objects: running }: Pick<Snapshot, 'objects'>,
  managed: ManagedObjects,
): readonly ShownObject[] {
  if (objectKind(kind) === undefined) throw unknownKind(kind)
  const ofFile = [...(running.get(kind) ?? [])].flatMap(([name, { value, origin }]): ShownObject[] => {
    if (origin.source === consoleOrigin) return []
    const shown = shownObject(kind, value, true) as ObjectValue
    return [{ kind, name, managed: 'file', place: origin, etag: etagOf(shown), value: shown }]
  })
  const ofConsole = Object.entries(managed[kind] ?? {}).map(([name, value]) => shownManaged({ kind, name }, value, running))
  return [...ofFile, ...ofConsole].toSorted((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))
}

/** Throws `config.object_not_found`, or `request.invalid` for an unknown kind. */
export function shownObjectOf(name: ObjectName, snapshot: Pick<Snapshot, 'objects'>, managed: ManagedObjects): ShownObject {
  const value = objectIn(managed, name)
  if (value !== undefined) return shownManaged(name, value, snapshot.objects)
  const found = shownObjects(name.kind, snapshot, {}).find((one) => one.name === name.name)
  if (found === undefined) throw notFound(name)
  return found
}

function shownManaged({ kind, name }: ObjectName, value: ObjectValue, running: Snapshot['objects']): ShownObject {
  const origin = running.get(kind)?.get(name)?.origin
  const place = origin?.source === consoleOrigin ? { place: origin } : {}
  return { kind, name, managed: 'console', ...place, etag: etagOf(value), value: shownObject(kind, value, false) as ObjectValue }
}

/** Of a change that is refused a secret may stand in it. */
export function shownChanges(changes: readonly ObjectChange[]): readonly Partial<ObjectChange>[] {
  return changes.map(({ kind, name, change, before, after }) => ({
    kind,
    name,
    change,
    ...(before === undefined ? {} : { before: shownObject(kind, before, false) as ObjectValue }),
    ...(after === undefined ? {} : { after: shownObject(kind, after, false) as ObjectValue }),
  }))
}
