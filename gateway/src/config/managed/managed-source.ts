/**
 * Objects that were made over the administration API, as a source of the configuration beside the file: what the file owns is not taken
 * from here, secrets only by references that the file allows, and nothing of the gateway itself.
 */
import { managedSchema } from '@turnward/contract/config/managed'
import type { z } from 'zod'
import { interpolate } from '../interpolate.ts'
import type { ReadConfiguration, ReadOptions } from '../include.ts'
import { nodeAt, plainValue, type ListNode, type LocatedNode, type MapEntry, type MapNode, type Spot } from '../locate.ts'
import { maxFileBytes, parseSource } from '../read-file.ts'
import type { Disk } from '../disk.ts'
import type { ConfigSource } from '../sources.ts'
import { objectKinds, type ObjectKind } from './kinds.ts'
import { consoleOrigin, objectText, type LeftOut } from './managed-objects.ts'
import { judgeValue, scalarsIn } from './secret-fields.ts'

/** A disk on which the objects lie as well: whatever is told of its contents, they are part of. */
export function diskWith(disk: Disk, text: string): Disk {
  return { ...disk, text: (path, limit) => (path === consoleOrigin ? Promise.resolve(text) : disk.text(path, limit)) }
}

export const managedSource: ConfigSource = {
  origin: consoleOrigin,
  async read(options, before, placeOf = ({ file }) => file.path) {
    const nothing: ReadConfiguration = { root: undefined, files: [], complete: true }
    const whole = parseSource(consoleOrigin, await options.disk.text(consoleOrigin, maxFileBytes), options.problems, true)
    if (whole === undefined) return { ...nothing, complete: false }
    const root: MapNode = { kind: 'map', spot: whole.spot, entries: new Map() }
    for (const kind of objectKinds) {
      const named = nodeAt(whole, ['objects', kind.kind])
      if (named?.kind !== 'map') continue
      const taken = new Map<string, MapEntry>()
      for (const [name, entry] of named.entries) {
        const owner = ownerOf(kind, name, before)
        if (owner !== undefined && options.isDraft === true) continue
        if (owner !== undefined) {
          const path = [...kind.path, name]
          options.problems.add(entry.key, path, `\`${kind.kind}/${name}\` is in ${placeOf(owner)}, and can be changed there only`, {
            code: 'config.owned_by_file',
          })
          continue
        }
        await admit(kind, name, entry.value, { options, before })
        taken.set(name, entry)
      }
      put(root, kind, named.spot, taken, options)
    }
    return { ...nothing, root, managed: factsOf(whole) }
  },
}

/** Where the file has an object of this name; undefined when it does not. */
function ownerOf({ path, form }: ObjectKind, name: string, before: MapNode | undefined): Spot | undefined {
  const own = before && nodeAt(before, path)
  if (form === 'map' && own?.kind === 'map') return own.entries.get(name)?.key
  if (form !== 'named' || own?.kind !== 'list') return undefined
  return own.items.find((item) => plainOf(nodeAt(item, ['name'])) === name)?.spot
}

interface Admission {
  readonly options: ReadOptions
  readonly before: MapNode | undefined
}

/** Resolves the references of one object, and reports what may not stand in it. */
async function admit({ kind, path: place }: ObjectKind, name: string, object: LocatedNode, { options, before }: Admission): Promise<void> {
  const allowed = allowedIn(before)
  if (kind === 'servers' && !allowed.local_servers && plainOf(nodeAt(object, ['transport'])) !== 'http')
    options.problems.add(
      object.spot,
      [...place, name, 'transport'],
      'only servers of `transport: http` can be made here: others run programs or read files of this machine, which `managed.local_servers` in the configuration file allows',
    )
  for (const [node, path] of scalarsIn(object)) {
    const judged = judgeValue(kind, path, node.value, allowed.references)
    const at = [...place, name, ...path]
    if (judged === 'resolve') await interpolate(node, options, at)
    else if (judged !== undefined)
      options.problems.add(node.spot, at, judged.problem, judged.isLiteral === true ? { code: 'config.literal_secret' } : {})
  }
}

function allowedIn(before: MapNode | undefined): z.output<typeof managedSchema> {
  const node = before && nodeAt(before, ['managed'])
  const read = managedSchema.safeParse(node === undefined ? {} : plainValue(node))
  // What is wrong with it is told by whoever checks the file.
  return read.success ? read.data : managedSchema.parse({})
}

/** Puts the objects of one kind where a configuration has them. */
function put(
  root: MapNode,
  { path: [section, part], form }: ObjectKind,
  spot: Spot,
  named: ReadonlyMap<string, MapEntry>,
  options: ReadOptions,
): void {
  if (named.size === 0) return
  const list = (): ListNode => ({
    kind: 'list',
    spot,
    items: [...named].map(([name, entry]) => itemOf(name, entry, form === 'named', options)),
  })
  const objects: LocatedNode = form === 'map' ? { kind: 'map', spot, entries: new Map(named) } : list()
  const inside = (): MapNode => ({ kind: 'map', spot, entries: new Map([[part ?? '', { key: spot, value: objects }]]) })
  root.entries.set(section, { key: spot, value: part === undefined ? objects : inside() })
}

/** An object as an item of a list, which says its name where the list knows names. */
function itemOf(name: string, { key, value }: MapEntry, saysName: boolean, { problems }: ReadOptions): LocatedNode {
  if (value.kind !== 'map') return value
  const said = value.entries.get('name')
  if (saysName && said !== undefined && plainOf(said.value) !== name)
    problems.add(said.key, ['name'], `it is called \`${name}\` here: leave \`name\` out`)
  const own: LocatedNode = { kind: 'scalar', spot: key, value: name, empty: false, interpolated: 'no', broken: false }
  return { ...value, name, entries: saysName ? new Map(value.entries).set('name', { key, value: own }) : value.entries }
}

function plainOf(node: LocatedNode | undefined): unknown {
  return node && plainValue(node)
}

function factsOf(whole: MapNode): NonNullable<ReadConfiguration['managed']> {
  const { revision, left_out: left } = plainValue(whole) as {
    readonly revision: number
    readonly left_out: readonly LeftOut[]
  }
  return { revision, leftOut: left.map(objectText), holdsCalls: left.some(({ restricts }) => restricts) }
}
