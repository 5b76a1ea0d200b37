/**
 * Reads an untrusted input schema without judging anything by it: what holds together at one place (`$ref`, `allOf`, the
 * one branch that is not null), and which types are allowed there. Every step counts, so that no schema costs much.
 */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'

/** Thrown when a schema asks for more steps than it is worth. */
export class SchemaTooLarge extends Error {}

/** Names of the allowed types; undefined when any is allowed, or nobody can tell. */
export type Alternatives = ReadonlySet<string> | undefined

const maxSteps = 20_000

export class SchemaReader {
  readonly #root: JsonObject
  #steps = 0

  constructor(root: JsonObject) {
    this.#root = root
  }

  /** Throws SchemaTooLarge. */
  step(): void {
    this.#steps += 1
    if (this.#steps > maxSteps) throw new SchemaTooLarge()
  }

  /** Every schema object that a value must satisfy when it must satisfy these. */
  partsOf(schemas: readonly JsonValue[]): readonly JsonObject[] {
    const parts = new Set<JsonObject>()
    const left = [...schemas]
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      this.step()
      if (!isObject(next) || parts.has(next)) continue
      parts.add(next)
      left.push(...this.#impliedBy(next))
    }
    return [...parts]
  }

  #impliedBy({ $ref, allOf, anyOf, oneOf }: JsonObject): JsonValue[] {
    const implied: JsonValue[] = Array.isArray(allOf) ? [...allOf] : []
    const target = typeof $ref === 'string' ? this.#lookUp($ref) : undefined
    if (target !== undefined) implied.push(target)
    for (const branches of [anyOf, oneOf]) {
      const real = Array.isArray(branches) ? branches.filter((branch) => !isNullOnly(branch)) : []
      const [only] = real
      if (real.length === 1 && only !== undefined) implied.push(only)
    }
    return implied
  }

  /** A JSON pointer into this schema (RFC 6901); anything else is not followed. */
  #lookUp(reference: string): JsonValue | undefined {
    if (reference !== '#' && !reference.startsWith('#/')) return undefined
    let at: JsonValue = this.#root
    for (const part of reference.split('/').slice(1)) {
      this.step()
      const key = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~')
      const next: JsonValue | undefined = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined
      if (next === undefined) return undefined
      at = next
    }
    return at
  }
}

/** The types allowed where a value must satisfy all of these schemas. */
export function alternativesOf(reader: SchemaReader, schemas: readonly JsonValue[]): Alternatives {
  let allowed: Alternatives
  for (const part of reader.partsOf(schemas)) {
    allowed = both(allowed, typesOf(part.type))
    for (const branches of [part.anyOf, part.oneOf]) if (Array.isArray(branches)) allowed = both(allowed, eitherOf(reader, branches))
  }
  return allowed
}

function eitherOf(reader: SchemaReader, branches: readonly JsonValue[]): Alternatives {
  const either = new Set<string>()
  for (const branch of branches) {
    reader.step()
    // One level is what schemas of tools have; a branch of branches says nothing here.
    const types =
      isObject(branch) && branch.type === undefined ? oneLevelDown(reader, branch) : typesOf(isObject(branch) ? branch.type : undefined)
    if (types === undefined) return undefined
    for (const type of types) either.add(type)
  }
  return either
}

function oneLevelDown(reader: SchemaReader, branch: JsonObject): Alternatives {
  return reader.partsOf([branch]).reduce<Alternatives>((allowed, part) => both(allowed, typesOf(part.type)), undefined)
}

function typesOf(type: JsonValue | undefined): Alternatives {
  const names = Array.isArray(type) ? type : [type]
  if (!names.every((name) => typeof name === 'string')) return undefined
  // A number may be whole.
  return new Set(names.includes('number') ? [...names, 'integer'] : names)
}

function both(one: Alternatives, other: Alternatives): Alternatives {
  return one === undefined ? other : other === undefined ? one : one.intersection(other)
}

function isNullOnly(schema: JsonValue): boolean {
  return isObject(schema) && (schema.type === 'null' || schema.const === null)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
