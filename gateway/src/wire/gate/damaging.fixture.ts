/** Every way to damage a field of a JSON value that leaves JSON. */
import { isObject } from '../../core/json.ts'

type Path = readonly (string | number)[]

/** Every place in a value. */
function placesIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const inside = Object.entries(value).flatMap(([key, item]) => placesIn(item, [...path, Array.isArray(value) ? Number(key) : key]))
  return path.length === 0 ? inside : [path, ...inside]
}

/** What may stand in the place of a value; undefined: nothing. */
const damages: Readonly<Record<string, (value: unknown) => unknown>> = {
  'is not there': () => undefined,
  'is null': () => null,
  'is text': (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
  'is empty': (value) => (Array.isArray(value) ? [] : typeof value === 'string' ? '' : {}),
  'is a number': () => 7,
  'is something newer': (value) => (typeof value === 'string' ? `newer_${value}` : value),
  'is in a list': (value) => [value],
  'is like a list': (value) => (Array.isArray(value) ? Object.fromEntries(value.entries()) : value),
}

function damaged(value: unknown, [key, ...rest]: Path, damage: (value: unknown) => unknown): unknown {
  if (key === undefined) return damage(value)
  if (Array.isArray(value)) return value.map((item, at) => (at === key ? damaged(item, rest, damage) : item) as unknown)
  const object = isObject(value) ? value : {}
  return { ...object, [key]: damaged(object[key], rest, damage) }
}

/** The value with one thing wrong, once for each place and way, and what that is. */
export function* damagesOf(value: unknown): Generator<{ readonly what: string; readonly value: unknown }> {
  for (const place of placesIn(value))
    for (const [what, damage] of Object.entries(damages)) yield { what: `${place.join('.')} ${what}`, value: damaged(value, place, damage) }
}
