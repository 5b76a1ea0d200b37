/**
 * Whether an object is one the API server takes. `openapi.fixture.json` has the properties and types that the OpenAPI description of
 * Kubernetes 1.33 publishes for what a server's pod is made of; a property that is not published is refused. What the description
 * does not say in types (names, quantities, the `restricted` Pod Security Standard) is checked as the API server checks it.
 */
import { readFileSync } from 'node:fs'
import { validate, type Schema } from '@cfworker/json-schema'
import { isObject, type JsonObject } from '../../../core/json.ts'

interface Model {
  readonly required: readonly string[]
  readonly properties: Readonly<Record<string, string>>
}

const models = JSON.parse(readFileSync(new URL('./openapi.fixture.json', import.meta.url), 'utf8')) as Readonly<Record<string, Model>>
const definitions = Object.fromEntries(Object.entries(models).map(([name, model]) => [name, schemaOf(model)]))

function schemaOf({ required, properties }: Model): Schema {
  return {
    type: 'object',
    required: [...required],
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(properties).map(([name, type]) => [name, typeSchema(type)])),
  }
}

function typeSchema(type: string): Schema {
  const items = /^Array<(.+)>$/.exec(type)?.[1]
  if (items !== undefined) return { type: 'array', items: typeSchema(items) }
  if (type.startsWith('{')) return { type: 'object', additionalProperties: { type: 'string' } }
  if (type in models) return { $ref: `#/definitions/${type}` }
  if (type === 'number') return { type: 'integer' }
  if (type === 'IntOrString') return { type: ['integer', 'string'] }
  // Not in the reduced description: nothing of ours may have it.
  return type === 'string' || type === 'boolean' ? { type } : type === 'Date' ? { type: 'string' } : { not: {} }
}

/** Why the object is refused; undefined when it is taken. */
export function whyRefused(model: 'V1Pod' | 'V1NetworkPolicy', object: unknown, namespace: string): string | undefined {
  const { valid, errors } = validate(
    object as JsonObject,
    { allOf: [{ $ref: `#/definitions/${model}` }], definitions },
    '7',
    undefined,
    false,
  )
  if (!valid) return errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`).join('; ')
  const { kind, apiVersion, metadata, spec } = object as JsonObject
  const [wantedKind, wantedVersion] = model === 'V1Pod' ? ['Pod', 'v1'] : ['NetworkPolicy', 'networking.k8s.io/v1']
  if (kind !== wantedKind || apiVersion !== wantedVersion) return `it is no ${wantedKind} of ${wantedVersion}`
  if (!isObject(metadata) || metadata.namespace !== namespace)
    return 'the namespace of the provided object does not match the namespace sent on the request'
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(String(metadata.name)) || String(metadata.name).length > 253)
    return `metadata.name: ${String(metadata.name)}`
  for (const [key, value] of Object.entries(isObject(metadata.labels) ? metadata.labels : {}))
    if (!qualified.test(key) || !/^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(String(value)))
      return `metadata.labels: ${key}=${String(value)}`
  for (const key of Object.keys(isObject(metadata.annotations) ? metadata.annotations : {}))
    if (!qualified.test(key)) return `metadata.annotations: ${key}`
  return model === 'V1Pod' && isObject(spec) ? podProblem(spec) : undefined
}

const qualified = /^(?:[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const quantity = /^\d+(?:\.\d+)?(?:m|k|M|G|Ki|Mi|Gi)?$/

function podProblem(spec: JsonObject): string | undefined {
  const volumes = (spec.volumes as unknown as readonly JsonObject[] | undefined) ?? []
  if (spec.dnsPolicy === 'None' && !isObject(spec.dnsConfig)) return 'must provide at least one DNS nameserver when `dnsPolicy` is None'
  for (const { emptyDir } of volumes)
    if (!isObject(emptyDir)) return 'restricted: a volume that is no emptyDir'
    else if (!quantity.test(String(emptyDir.sizeLimit))) return `sizeLimit: ${String(emptyDir.sizeLimit)}`
  for (const flag of ['hostNetwork', 'hostPID', 'hostIPC']) if (spec[flag] === true) return `restricted: ${flag}`
  const pod = isObject(spec.securityContext) ? spec.securityContext : {}
  for (const container of spec.containers as unknown as readonly JsonObject[]) {
    const own = isObject(container.securityContext) ? container.securityContext : {}
    const capabilities = isObject(own.capabilities) ? own.capabilities : {}
    const seccomp = isObject(own.seccompProfile) ? own.seccompProfile : isObject(pod.seccompProfile) ? pod.seccompProfile : {}
    if (!String(capabilities.drop).split(',').includes('ALL') || capabilities.add !== undefined) return 'restricted: capabilities'
    if (own.allowPrivilegeEscalation !== false) return 'restricted: allowPrivilegeEscalation'
    if (own.privileged === true) return 'restricted: privileged'
    if ((own.runAsNonRoot ?? pod.runAsNonRoot) !== true || (own.runAsUser ?? pod.runAsUser) === 0) return 'restricted: runAsNonRoot'
    if (seccomp.type !== 'RuntimeDefault' && seccomp.type !== 'Localhost') return 'restricted: seccompProfile'
    const resources = isObject(container.resources) ? container.resources : {}
    for (const amounts of [resources.limits, resources.requests])
      for (const amount of Object.values(isObject(amounts) ? amounts : {}))
        if (!quantity.test(String(amount))) return `resources: ${String(amount)}`
    for (const mount of container.volumeMounts as unknown as readonly JsonObject[])
      if (!volumes.some(({ name }) => name === mount.name)) return `volumeMounts: ${String(mount.name)} is not found`
  }
  return undefined
}
