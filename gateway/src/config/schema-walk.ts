/** Looks into the zod schema at a path of the data: which keys are allowed there. Used for suggestions only. */
import { z } from 'zod'
import type { ConfigPath } from './locate.ts'

type Schema = z.core.$ZodType

/** Keys an object at this path may have; empty when it is not an object of fixed keys. Parts of later releases are left out. */
export function keysAt(schema: Schema, path: ConfigPath, data: unknown): string[] {
  let current: Schema | undefined = schema
  let value = data
  for (const step of path) {
    current = current && childSchema(objectLike(current, value), step)
    value = childValue(value, step)
  }
  const found = current && objectLike(current, value)
  if (!(found instanceof z.core.$ZodObject)) return []
  return Object.entries(found._zod.def.shape).flatMap(([key, child]) => (isNotAvailable(child) ? [] : [key]))
}

export function childValue(value: unknown, step: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined
}

/** The value at a path, or undefined. */
export function valueAt(data: unknown, path: ConfigPath): unknown {
  return path.reduce(childValue, data)
}

function childSchema(schema: Schema, step: PropertyKey): Schema | undefined {
  if (schema instanceof z.core.$ZodObject) return schema._zod.def.shape[String(step)]
  if (schema instanceof z.core.$ZodRecord) return schema._zod.def.valueType
  if (schema instanceof z.core.$ZodArray) return schema._zod.def.element
  return undefined
}

/** The schema without defaults, and the branch of a union that fits the data. */
function objectLike(schema: Schema, value: unknown): Schema {
  if (schema instanceof z.core.$ZodDefault || schema instanceof z.core.$ZodPrefault || schema instanceof z.core.$ZodOptional)
    return objectLike(schema._zod.def.innerType, value)
  if (!(schema instanceof z.core.$ZodUnion)) return schema
  const options = schema._zod.def.options.map((option) => objectLike(option, value))
  const discriminator = schema instanceof z.core.$ZodDiscriminatedUnion ? schema._zod.def.discriminator : undefined
  const fitting = options.find((option) => {
    if (!(option instanceof z.core.$ZodObject)) return false
    if (discriminator === undefined) return true
    const literal = option._zod.def.shape[discriminator]
    return literal instanceof z.core.$ZodLiteral && literal._zod.def.values.includes(childValue(value, discriminator) as string)
  })
  return fitting ?? schema
}

function isNotAvailable(schema: Schema): boolean {
  return schema instanceof z.core.$ZodOptional && schema._zod.def.innerType instanceof z.core.$ZodUnknown
}
