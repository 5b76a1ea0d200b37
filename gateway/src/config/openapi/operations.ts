/** Which operations of a document are selected, and under which names. Pure; nothing of the operations themselves is read here. */
import type { OpenapiServerConfig } from '@turnward/contract/config'
import { sha256 } from '../../core/hash.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { compilePattern } from '../../policy/patterns.ts'
import type { ApiMethod } from './api.ts'
import { resolved, type ApiDocument } from './document.ts'

/** An operation as the document writes it. */
export interface DocumentOperation {
  readonly name: string
  readonly method: ApiMethod
  readonly path: string
  readonly item: JsonObject
  readonly operation: JsonObject
}

type Selector = OpenapiServerConfig['operations']['include'][number]

const methods: readonly (readonly [string, ApiMethod])[] = [
  ['get', 'GET'],
  ['post', 'POST'],
  ['put', 'PUT'],
  ['patch', 'PATCH'],
  ['delete', 'DELETE'],
]

/** Every operation, in the order of the document. */
export function operationsOf(document: ApiDocument): readonly DocumentOperation[] {
  const found: DocumentOperation[] = []
  for (const [path, value] of Object.entries(isObject(document.root.paths) ? document.root.paths : {})) {
    const item = resolved(document, value)
    if (item === undefined) continue
    for (const [key, method] of methods) {
      const operation = Object.hasOwn(item, key) ? item[key] : undefined
      if (isObject(operation)) found.push({ name: nameOf(operation, key, path), method, path, item, operation })
    }
  }
  return withOwnNames(found)
}

/** The selected ones. */
export function selectedOperations(
  operations: readonly DocumentOperation[],
  { include, exclude }: OpenapiServerConfig['operations'],
): readonly DocumentOperation[] {
  const [wanted, unwanted] = [include.map(compiled), exclude.map(compiled)]
  return operations.filter((one) => wanted.some((matches) => matches(one)) && !unwanted.some((matches) => matches(one)))
}

/** Whether a name or pattern of the configuration means this operation: its `operationId` as written, or its name as a tool. */
export function matchesId(pattern: string): (operation: DocumentOperation) => boolean {
  const matches = compilePattern(pattern)
  return ({ name, operation }) => matches(name) || (typeof operation.operationId === 'string' && matches(operation.operationId))
}

function compiled(selector: Selector): (operation: DocumentOperation) => boolean {
  const isOfId = selector.id === undefined ? undefined : matchesId(selector.id)
  const isOfTag = selector.tag === undefined ? undefined : compilePattern(selector.tag)
  const isOfPath = selector.path === undefined ? undefined : compilePattern(selector.path)
  return (one) =>
    (selector.method === undefined || one.method === selector.method.toUpperCase()) &&
    (isOfId === undefined || isOfId(one)) &&
    (isOfPath === undefined || isOfPath(one.path)) &&
    (isOfTag === undefined || tagsOf(one.operation).some(isOfTag))
}

function tagsOf({ tags }: JsonObject): string[] {
  return Array.isArray(tags) ? tags.filter((tag: JsonValue): tag is string => typeof tag === 'string') : []
}

/** The `operationId` in letters that every vendor takes, else method and path. */
function nameOf({ operationId }: JsonObject, method: string, path: string): string {
  const written = typeof operationId === 'string' ? operationId : `${method} ${path}`
  const name = written.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^_+|_+$/g, '')
  return name === '' ? `${method}_root` : name.slice(0, 200)
}

/** Two of one name both get a hash of what they are, so that neither name depends on the order of the document. */
function withOwnNames(operations: readonly DocumentOperation[]): readonly DocumentOperation[] {
  const counts = new Map<string, number>()
  for (const { name } of operations) counts.set(name, (counts.get(name) ?? 0) + 1)
  return operations.map((one) =>
    counts.get(one.name) === 1 ? one : { ...one, name: `${one.name}_${sha256(`${one.method} ${one.path}`).slice(0, 8)}` },
  )
}
