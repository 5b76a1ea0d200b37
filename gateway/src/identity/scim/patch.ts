/**
 * PATCH (RFC 7644, section 3.5.2) as directories send it: operations in any case, booleans as text, paths with filters, values
 * whose keys are paths. Reading is apart from applying. Pure.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { keyIn, readAttributePath, valueIn, type AttributePath } from './attributes.ts'
import { meets, readFilter, type Filter } from './filter.ts'
import { badRequest } from './scim-error.ts'

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove'
  readonly path: PatchPath
  readonly value: JsonValue | undefined
}

/** What an operation is about. */
export interface PatchPath extends AttributePath {
  /** Of the values of the attribute only those that meet it. */
  readonly filter: Filter | undefined
}

const mostOperations = 1000
const verbs = ['add', 'replace', 'remove'] as const

/** The operations of a request, one for each attribute. Throws `invalidSyntax`, `invalidPath` or `invalidFilter`. */
export function readPatch(body: JsonObject): readonly PatchOperation[] {
  const written = valueIn(body, 'Operations')
  if (!Array.isArray(written) || written.length === 0 || written.length > mostOperations)
    throw badRequest('invalidSyntax', `\`Operations\` must be a list of 1 to ${mostOperations} operations`)
  return written.flatMap((one): readonly PatchOperation[] => {
    if (!isObject(one)) throw badRequest('invalidSyntax', 'an operation must be an object')
    const verb = valueIn(one, 'op')
    const op = verbs.find((known) => typeof verb === 'string' && verb.toLowerCase() === known)
    if (op === undefined) throw badRequest('invalidSyntax', '`op` must be add, replace or remove')
    const path = valueIn(one, 'path')
    const value = valueIn(one, 'value')
    if (typeof path === 'string' && path !== '') return [{ op, path: readPatchPath(path), value }]
    if (op === 'remove') throw badRequest('noTarget', 'remove needs a path')
    if (!isObject(value)) throw badRequest('invalidValue', 'without a path the value must be an object')
    return Object.entries(value).flatMap(([key, inner]) => perAttribute(op, key, inner))
  })
}

/** An extension is written as an object under its name; its attributes are patched one by one. */
function perAttribute(op: 'add' | 'replace', key: string, value: JsonValue): readonly PatchOperation[] {
  if (key.toLowerCase() === 'schemas') return []
  if (/^urn:.*:\w+$/i.test(key) && isObject(value) && isSchema(key))
    return Object.entries(value).map(([inner, one]) => ({ op, path: readPatchPath(`${key}:${inner}`), value: one }))
  return [{ op, path: readPatchPath(key), value }]
}

function isSchema(key: string): boolean {
  return /^urn:ietf:params:scim:schemas:(core|extension:enterprise):2\.0:(User|Group)$/i.test(key)
}

function readPatchPath(text: string): PatchPath {
  const open = text.indexOf('[')
  if (open < 0) return { ...readAttributePath(text), filter: undefined }
  const close = text.lastIndexOf(']')
  if (close < open) throw badRequest('invalidPath', 'a `]` is missing')
  const filter = readFilter(text.slice(open + 1, close))
  return { ...readAttributePath(text.slice(0, open) + text.slice(close + 1)), filter }
}

/** The resource after the operations; what it was stays as it is. Throws `noTarget` or `invalidValue`. */
export function applyPatch(resource: JsonObject, operations: readonly PatchOperation[]): JsonObject {
  const next = structuredClone(resource)
  for (const operation of operations) apply(next, operation)
  return next
}

function apply(resource: JsonObject, operation: PatchOperation): void {
  const { extension } = operation.path
  if (extension === undefined) return applyTo(resource, operation)
  const key = keyIn(resource, extension) ?? extension
  const holder = isObject(resource[key]) ? resource[key] : {}
  applyTo(holder, operation)
  if (Object.keys(holder).length > 0) resource[key] = holder
  else delete resource[key]
}

function applyTo(holder: JsonObject, { op, path, value }: PatchOperation): void {
  const key = keyIn(holder, path.attribute) ?? path.attribute
  if (path.filter !== undefined) return applyToSome(holder, key, { op, path: { ...path, filter: path.filter }, value })
  if (path.sub !== undefined) return applyToSub(holder, key, path.sub, { op, value })
  if (op === 'remove') return removeValues(holder, key, value)
  if (value === undefined) throw badRequest('invalidValue', `${op} needs a value`)
  const before = holder[key]
  if (op === 'add' && Array.isArray(before)) holder[key] = joined(before, value)
  else if (isObject(before) && isObject(value)) holder[key] = { ...before, ...value }
  else holder[key] = value
}

/** `remove` of some values by a list of them, as Entra ID writes it; without a list all are removed. */
function removeValues(holder: JsonObject, key: string, value: JsonValue | undefined): void {
  const before = holder[key]
  if (value === undefined || value === null || !Array.isArray(before)) {
    delete holder[key]
    return
  }
  const gone = new Set((Array.isArray(value) ? value : [value]).map(identityOf))
  holder[key] = before.filter((one) => !gone.has(identityOf(one)))
}

function joined(before: readonly JsonValue[], value: JsonValue): JsonValue[] {
  const there = new Set(before.map(identityOf))
  return [...before, ...(Array.isArray(value) ? value : [value]).filter((one) => !there.has(identityOf(one)))]
}

/** Two values are the same when their `value` is. */
function identityOf(value: JsonValue): string {
  return JSON.stringify(isObject(value) && value.value !== undefined ? value.value : value)
}

function applyToSub(holder: JsonObject, key: string, sub: string, { op, value }: Pick<PatchOperation, 'op' | 'value'>): void {
  const before = holder[key]
  if (Array.isArray(before)) throw badRequest('invalidPath', 'an attribute with several values needs a filter')
  const inner = isObject(before) ? before : {}
  setSub(inner, sub, { op, value })
  if (Object.keys(inner).length > 0) holder[key] = inner
  else delete holder[key]
}

function setSub(element: JsonObject, sub: string, { op, value }: Pick<PatchOperation, 'op' | 'value'>): void {
  const key = keyIn(element, sub) ?? sub
  if (op === 'remove') delete element[key]
  else if (value === undefined) throw badRequest('invalidValue', `${op} needs a value`)
  else element[key] = value
}

function applyToSome(
  holder: JsonObject,
  key: string,
  { op, path, value }: PatchOperation & { readonly path: { readonly filter: Filter } },
): void {
  const before = holder[key]
  const values: JsonValue[] = Array.isArray(before) ? before : before === undefined || before === null ? [] : [before]
  const isMeant = (one: JsonValue): boolean => meets(isObject(one) ? one : { value: one }, path.filter)
  const { sub } = path
  if (op === 'remove' && sub === undefined) {
    holder[key] = values.filter((one) => !isMeant(one))
    return
  }
  let hasMet = false
  const next = values.map((one): JsonValue => {
    if (!isMeant(one)) return one
    hasMet = true
    const element: JsonObject = isObject(one) ? { ...one } : { value: one }
    if (sub === undefined) return isObject(value) ? { ...element, ...value } : { ...element, value: value ?? null }
    setSub(element, sub, { op, value })
    return element
  })
  if (hasMet || op === 'remove') {
    holder[key] = next
    return
  }
  // Nobody has it yet: it comes into being as the filter describes it, which is what directories expect.
  const described = describedBy(path.filter)
  if (described === undefined) throw badRequest('noTarget', 'no value meets the filter of the path')
  const element: JsonObject = { ...described }
  if (sub === undefined) Object.assign(element, isObject(value) ? value : { value: value ?? null })
  else setSub(element, sub, { op, value })
  holder[key] = [...values, element]
}

/** `type eq "work"` as `{ type: "work" }`. */
function describedBy(filter: Filter): JsonObject | undefined {
  if (filter.kind === 'compare' && filter.operator === 'eq') return { [filter.path.attribute]: filter.value }
  if (filter.kind !== 'and') return undefined
  const parts = filter.all.map(describedBy)
  return parts.includes(undefined) ? undefined : Object.assign({}, ...parts)
}
