/** `request-transformer` and `request-transformer-advanced`: fields of bodies that are taken out, called otherwise, and written. */
import { addTransform, isField, type SettingChange } from '../../gateways/changed-settings.ts'
import type { Foreign } from '../../gateways/foreign-value.ts'
import { listNames } from '../../gateways/listed-names.ts'
import { plainName } from '../../gateways/naming.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'

/** A route lists no more than 32 transforms, and has other plugins too. */
const most = 14

/** Kong's order: remove, rename, replace, add. */
export function transformRequests({ get, whole }: KongPlugin, owner: string, making: KongMaking): RoutePart | undefined {
  const items = (op: string): readonly Foreign[] => get(op)?.get('body')?.items() ?? []
  // What holds on a condition of its own is a transform of its own.
  let room = most
  const each = (op: string, change: (from: Foreign) => SettingChange | undefined): readonly string[] =>
    items(op).flatMap((from) => {
      if (room === 0) from.left(`of what holds on a condition ${most} are taken over for a plugin`)
      const made = room === 0 ? undefined : change(from)
      if (made !== undefined) room -= 1
      return made === undefined ? [] : addTransform(`${plainName(owner)}-${op}-${made.field}`, [made], making.draft)
    })
  for (const op of ['remove', 'rename', 'replace', 'add'])
    for (const part of ['headers', 'querystring', 'uri']) get(op)?.get(part)?.left(notBodies)
  const make = (): readonly string[] => [
    ...addTransform(
      `${plainName(owner)}-remove`,
      items('remove').flatMap((from) => removal(from) ?? []),
      making.draft,
    ),
    ...each('rename', renaming),
    ...each('replace', (from) => writing('replace', from, owner, making)),
    ...each('add', (from) => writing('add', from, owner, making)),
  ]
  const names = making.transforms.get(whole.at) ?? make()
  making.transforms.set(whole.at, names)
  if (names.length === 0) return undefined
  return (route) => {
    route.from(whole.get('name') ?? whole, 'transforms')
    listNames('transforms', names)(route)
  }
}

function removal(from: Foreign): SettingChange | undefined {
  const field = from.text()
  return isField(field) ? { op: 'remove', field, from } : noChange(from)
}

function renaming(from: Foreign): SettingChange | undefined {
  const [before, field] = pairOf(from)
  return isField(before) && isField(field) ? { op: 'move', before, field, from, when: `has(body.${before})` } : noChange(from)
}

function writing(op: 'replace' | 'add', from: Foreign, owner: string, { texts }: KongMaking): SettingChange | undefined {
  const [field, text] = pairOf(from)
  if (!isField(field) || text === undefined) return noChange(from)
  if (text.includes('$(')) {
    from.left('it is put together from parts of a request: write an `expression` in a transform')
    return undefined
  }
  const { text: value, why } = texts.words(text, owner, `${owner}_${field}`)
  return { op, field, from, value, why, when: op === 'add' ? `!has(body.${field})` : `has(body.${field})` }
}

/** `name:value`. */
function pairOf(from: Foreign): readonly (string | undefined)[] {
  const [, field, value] = /^([^:]+):+(.+)$/s.exec(from.text() ?? '') ?? []
  return [field, value]
}

function noChange(from: Foreign): undefined {
  from.left('it names no field that a condition could speak of: write a transform')
}

const notBodies = 'headers, queries and paths are not changed: `upstreams.*.headers` are sent with each request'

export const leftOfTransformer: Readonly<Record<string, string>> = {
  append: 'what comes to the end of a list is `op: add` with a path that ends in `/-`: write a transform',
  allow: 'what may not go out is taken out field by field: write a transform',
  http_method: 'a model is asked as its vendor wants to be asked',
  dots_in_keys: 'fields are JSON Pointers: write a transform',
}
