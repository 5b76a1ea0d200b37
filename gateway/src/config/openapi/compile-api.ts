/** From a document and what is configured around it to the operations that can be called. Pure; tells everything it leaves out. */
import { isBaseAddress, type OpenapiServerConfig } from '@turnward/contract/config'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { Api, ApiOperation, ApiParameter } from './api.ts'
import { readBody } from './body.ts'
import type { ApiDocument } from './document.ts'
import { fixedFor } from './fixed-arguments.ts'
import { matchesId, operationsOf, selectedOperations, type DocumentOperation } from './operations.ts'
import { readParameters, type OwnFields, type ReadParameter } from './parameters.ts'
import { schemasOfOperation, type SchemaReading } from './schemas.ts'
import { outputSchemaOf, structuredSchema, toolDefinition } from './tool-definition.ts'

/** A setting that cannot be what was meant: where, below the server, and why. */
export interface ApiProblem {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly where?: 'key' | 'value'
}

const mostOperations = 5000
const braces = /\{([^{}]*)\}/g

/** The API, or what is wrong with its settings. */
export function compileApi(config: OpenapiServerConfig, document: ApiDocument): Api | readonly ApiProblem[] {
  const problems: ApiProblem[] = []
  const base = config.base_url ?? addressOf(document)
  if (base === undefined)
    problems.push({
      path: ['document'],
      message: 'its `servers` begin with no https:// address of a host name; set `base_url`',
      where: 'key',
    })
  // A document is written by somebody else, and may be replaced.
  else if (config.base_url === undefined && Object.keys({ ...config.headers, ...config.query }).length > 0)
    problems.push({
      path: ['document'],
      message: 'a credential goes where the configuration says, not where a document does; set `base_url`',
      where: 'key',
    })
  const all = operationsOf(document)
  const selected = selectedOperations(all, config.operations)
  if (selected.length === 0)
    problems.push({ path: ['operations'], message: `selects none of the ${all.length} operations of the document`, where: 'key' })
  if (selected.length > mostOperations)
    problems.push({
      path: ['operations'],
      message: `selects ${selected.length} operations; at most ${mostOperations} can be tools`,
      where: 'key',
    })
  if (problems.length > 0 || base === undefined) return problems
  const own: OwnFields = {
    headers: new Set(Object.keys(config.headers).map((name) => name.toLowerCase())),
    query: new Set(Object.keys(config.query)),
  }
  const differing = Object.entries(config.tools).map(([pattern, tool]) => ({
    pattern,
    tool,
    matches: matchesId(pattern),
    used: new Set<string>(),
    met: false,
  }))
  const usedByAll = new Set<string>()
  const leftOut = new Map<string, string>()
  const operations: ApiOperation[] = []
  for (const one of selected) {
    const entry = differing.find(({ matches }) => matches(one))
    if (entry !== undefined) entry.met = true
    const compiled = compileOperation(config, document, one, entry?.tool, own, config.base_url === undefined ? base : undefined)
    if (typeof compiled === 'string') {
      leftOut.set(one.name, compiled)
      continue
    }
    operations.push(compiled.operation)
    for (const name of compiled.used) (Object.hasOwn(entry?.tool.arguments ?? {}, name) ? entry?.used : usedByAll)?.add(name)
  }
  // A setting that does nothing is a mistake in it.
  for (const name of Object.keys(config.arguments))
    if (!usedByAll.has(name))
      problems.push({ path: ['arguments', name], message: `no selected operation has an argument \`${name}\``, where: 'key' })
  for (const { pattern, tool, used, met } of differing) {
    if (!met)
      problems.push({ path: ['tools', pattern], message: 'matches no selected operation that no earlier one matches', where: 'key' })
    else
      for (const name of Object.keys(tool.arguments))
        if (!used.has(name))
          problems.push({
            path: ['tools', pattern, 'arguments', name],
            message: `these operations have no argument \`${name}\``,
            where: 'key',
          })
  }
  return problems.length > 0 ? problems : { base: base.replace(/\/+$/, ''), operations, leftOut, digest: document.digest }
}

/** The address that the document says, variables at their defaults. Undefined when it says none, or a relative one. */
function addressOf({ root }: ApiDocument): string | undefined {
  const [first] = Array.isArray(root.servers) ? root.servers : []
  if (!isObject(first) || typeof first.url !== 'string') return undefined
  const { variables } = first
  const url = first.url.replace(braces, (whole, name: string) => {
    const variable = isObject(variables) && Object.hasOwn(variables, name) ? variables[name] : undefined
    return isObject(variable) && typeof variable.default === 'string' ? variable.default : whole
  })
  return isBaseAddress(url) && isPublicName(url) ? url : undefined
}

/** Whether an address names a host as the world does: what lies inside is for the configuration to say. */
function isPublicName(url: string): boolean {
  return /^https:\/\/(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*(?::\d+)?(?:\/|$)/i.test(url) && !/[{}]/.test(url)
}

function compileOperation(
  config: OpenapiServerConfig,
  document: ApiDocument,
  one: DocumentOperation,
  differing: OpenapiServerConfig['tools'][string] | undefined,
  own: OwnFields,
  base: string | undefined,
): { readonly operation: ApiOperation; readonly used: readonly string[] } | string {
  const { name, method, path, item, operation } = one
  if (operation.servers !== undefined || item.servers !== undefined) return 'it has servers of its own'
  const reading: SchemaReading = { document, side: 'request', budget: { left: schemasOfOperation } }
  const body = method === 'GET' ? undefined : readBody(reading, operation.requestBody)
  if (typeof body === 'string') return body
  const declared = readParameters(reading, item.parameters, operation.parameters, own, body !== undefined)
  if (typeof declared === 'string') return declared
  const inPath = placesIn(path)
  if (inPath === undefined) return 'its path cannot be sent'
  const parameters = declared.filter((parameter) => parameter.place !== 'path' || inPath.includes(parameter.name))
  const missing = inPath.find((place) => !parameters.some((parameter) => parameter.place === 'path' && parameter.name === place))
  if (missing !== undefined) return 'its path has a place that no parameter is for'
  const values: JsonObject = { ...(config.arguments as JsonObject), ...(differing?.arguments as JsonObject | undefined) }
  const names = new Set([...parameters.map(({ argument }) => argument), ...(body === undefined ? [] : ['body'])])
  const hasFields = body !== undefined && ['json', 'urlencoded', 'multipart'].includes(body.form)
  const { fixed, fixedBody, used } = fixedFor(values, names, hasFields)
  const pick = differing?.pick ?? config.response.pick
  const outputSchema =
    config.response.schema && pick === undefined
      ? outputSchemaOf({ document, side: 'response', budget: { left: schemasOfOperation } }, one)
      : undefined
  return {
    used,
    operation: {
      name,
      method,
      path,
      parameters: parameters.map(withoutSchema),
      body: body === undefined ? undefined : { form: body.form, contentType: body.contentType, required: body.required, files: body.files },
      fixed,
      fixedBody,
      definition: toolDefinition({
        one,
        parameters,
        body,
        fixed,
        fixedBody,
        base,
        outputSchema: outputSchema === undefined ? undefined : structuredSchema(outputSchema),
      }),
      wrapsObjects: outputSchema !== undefined && outputSchema.type !== 'object',
      pick: pick?.map((text) => text.split('.')),
      maxBytes: differing?.max_bytes ?? config.response.max_bytes,
    },
  }
}

/** Names of the places in a path; undefined when the path cannot be sent, or leaves the one it begins with. */
function placesIn(path: string): string[] | undefined {
  const literal = path.replace(braces, 'x')
  const isSendable = /^\/[\x21\x22\x24-\x3e\x40-\x5b\x5d\x5e-\x7a\x7c\x7e]*$/.test(literal) && !/%(?:2e|2f|5c|0)/i.test(literal)
  if (!isSendable || path.split('/').some((part) => part === '.' || part === '..')) return undefined
  return [...path.matchAll(braces)].map(([, name = '']) => name)
}

function withoutSchema({ schema: _schema, ...parameter }: ReadParameter): ApiParameter {
  return parameter
}
