/** A server as a client's file declares it: the shapes of all clients are one shape with different names. Pure. */
import { isObject, type JsonObject } from '../../core/json.ts'
import { clients, type ClientId } from './clients.ts'

/** Where something was read. */
export interface ClientSource {
  readonly client: ClientId
  /** Absolute. */
  readonly file: string
  /** Folder of the project it is for. */
  readonly project: string | undefined
}

export interface DeclaredServer extends ClientSource {
  /** As the file has it; anything. */
  readonly name: string
  readonly isOff: boolean
  readonly launch: DeclaredCommand | DeclaredAddress
  /** What the client does with it and Turnward has to be told. */
  readonly findings: readonly string[]
  /** What the person is asked for `${input:id}`, by id. */
  readonly inputs: ReadonlyMap<string, string>
}

export interface DeclaredCommand {
  readonly kind: 'command'
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Folder it is started in, as written. */
  readonly cwd: string | undefined
  /** A file with more variables, as written. */
  readonly envFile: string | undefined
}

export interface DeclaredAddress {
  readonly kind: 'address'
  readonly url: string
  readonly transport: 'http' | 'sse'
  readonly headers: Readonly<Record<string, string>>
}

/** A server that cannot be made sense of. */
export interface UnreadableServer extends ClientSource {
  readonly name: string
  readonly why: string
}

const mostServers = 200
const mostWords = 256
const longestText = 16 * 1024

/** All servers of a file. Throws an Error saying why none of it can be used. */
export function declaredServers(source: ClientSource, document: unknown): readonly (DeclaredServer | UnreadableServer)[] {
  if (!isObject(document)) throw new Error('does not hold an object with settings')
  const { servers: paths, off, only } = clients[source.client]
  const isOff = new Set(
    off
      .flatMap((path) => lookup(document, path.split('.')))
      .flatMap(({ value, project }) => texts(value).map((name) => keyOf(name, project))),
  )
  const found = new Map<string, readonly [string, unknown, string | undefined]>()
  for (const path of paths) {
    // Where one way of writing lies below another, only one of them is meant.
    if (found.size > 0 && paths.some((inner) => inner.startsWith(`${path}.`))) continue
    for (const { value, project } of lookup(document, path.split('.'))) {
      if (paths.some((outer) => path.startsWith(`${outer}.`)) && isObject(value) && Object.values(value).some((one) => !isObject(one)))
        continue
      if (!isObject(value)) throw new Error(`has no servers by name under \`${path}\``)
      for (const [name, server] of Object.entries(value)) {
        found.set(keyOf(name, project), [name, server, project])
      }
    }
  }
  if (found.size > mostServers) throw new Error(`has ${found.size} servers, which is more than ${mostServers}`)
  const chosen = only.flatMap((path) => lookup(document, path.split('.'))).flatMap(({ value }) => texts(value))
  const isLeftOut = (name: string, project: string | undefined): boolean =>
    isOff.has(keyOf(name, project)) || (chosen.length > 0 && !chosen.includes(name))
  const inputs = declaredInputs(document)
  return [...found.values()].map(([name, value, project]) => {
    const from = project === undefined ? source : { ...source, project }
    try {
      return { ...from, ...declaredServer(name, value, source.client, inputs), ...(isLeftOut(name, project) ? { isOff: true } : {}) }
    } catch (error) {
      return { ...from, name, why: error instanceof Error ? error.message : 'it cannot be read' }
    }
  })
}

function keyOf(name: string, project: string | undefined): string {
  return JSON.stringify([name, project])
}

/** The values at a path; below `projects.*` the key is a folder. */
function lookup(value: unknown, [step, ...rest]: readonly string[], project?: string): { value: unknown; project: string | undefined }[] {
  if (step === undefined) return value === undefined ? [] : [{ value, project }]
  if (!isObject(value)) return []
  if (step === '*') return Object.entries(value).flatMap(([key, inner]) => lookup(inner, rest, key))
  return Object.hasOwn(value, step) ? lookup(value[step], rest, project) : []
}

function declaredInputs(document: JsonObject): ReadonlyMap<string, string> {
  const listed = [...lookup(document, ['inputs']), ...lookup(document, ['mcp', 'inputs'])].flatMap(({ value }) =>
    Array.isArray(value) ? value : [],
  )
  return new Map(
    listed.flatMap((input) =>
      isObject(input) && typeof input['id'] === 'string'
        ? [[input['id'], typeof input['description'] === 'string' ? input['description'] : ''] as const]
        : [],
    ),
  )
}

function declaredServer(
  name: string,
  value: unknown,
  client: ClientId,
  inputs: ReadonlyMap<string, string>,
): Omit<DeclaredServer, keyof ClientSource> {
  if (name === '__proto__' || name === '') throw new Error('this cannot be used as a name')
  if (!isObject(value)) throw new Error('it is not an object')
  const launch = launchOf(value, client)
  return { name, launch, inputs, isOff: value['disabled'] === true || value['enabled'] === false, findings: findingsOf(value) }
}

function launchOf(value: JsonObject, client: ClientId): DeclaredServer['launch'] {
  const kind = text(value, 'type') ?? text(value, 'transport')
  const httpUrl = text(value, 'httpUrl')
  const url = httpUrl ?? text(value, 'serverUrl') ?? text(value, 'url')
  if (url !== undefined && value['command'] === undefined) {
    const transport = httpUrl === undefined ? transportOf(kind, url, client) : 'http'
    return { kind: 'address', url, transport, headers: headersOf(value) }
  }
  const command = Array.isArray(value['command']) ? words(value, 'command') : [text(value, 'command') ?? '']
  if ((command[0] ?? '') === '') throw new Error('it has neither a `command` nor a `url`')
  const env = { ...record(value, 'env'), ...record(value, 'environment') }
  // Codex: names of variables that are passed on.
  for (const forwarded of Array.isArray(value['env_vars']) ? texts(value['env_vars']) : []) env[forwarded] ??= `\${${forwarded}}`
  return { kind: 'command', command: [...command, ...words(value, 'args')], env, cwd: text(value, 'cwd'), envFile: text(value, 'envFile') }
}

function transportOf(kind: string | undefined, url: string, client: ClientId): 'http' | 'sse' {
  if (kind === 'sse') return 'sse'
  if (kind !== undefined && !/^(?:http|https|remote|streamable[-_]?http)$/i.test(kind))
    throw new Error('its transport is none that Turnward knows')
  if (kind !== undefined && kind !== 'remote') return 'http'
  return clients[client].untyped === 'sse' || /\/sse\/?(?:\?|$)/.test(url) ? 'sse' : 'http'
}

function headersOf(value: JsonObject): Record<string, string> {
  const headers = { ...record(value, 'headers'), ...record(value, 'http_headers') }
  for (const [name, variable] of Object.entries(record(value, 'env_http_headers'))) headers[name] = `\${${variable}}`
  const bearer = text(value, 'bearer_token_env_var')
  if (bearer !== undefined) headers['Authorization'] = `Bearer \${${bearer}}`
  return headers
}

const chosenTools = ['includeTools', 'excludeTools', 'enabled_tools', 'disabled_tools', 'disabledTools']
const signIn = ['oauth', 'auth', 'authProviderType', 'headersHelper', 'oauth_resource']

function findingsOf(value: JsonObject): string[] {
  const chosen = chosenTools.filter((key) => Array.isArray(value[key]) && value[key].length > 0)
  if (isObject(value['tools']) || (Array.isArray(value['tools']) && !value['tools'].includes('*'))) chosen.push('tools')
  const signs = signIn.filter((key) => value[key] !== undefined && value[key] !== false && value[key] !== null)
  return [
    ...chosen.map((key) => `the client chooses among its tools (\`${key}\`): say in \`gateways.*.tools\` or in grants which are shown`),
    ...signs.map(
      (key) => `the client signs in for it (\`${key}\`), which Turnward does not do for servers yet: give it a header with a token`,
    ),
  ]
}

function text(value: JsonObject, key: string): string | undefined {
  const found = Object.hasOwn(value, key) ? value[key] : undefined
  if (found === undefined || found === null) return undefined
  if (typeof found !== 'string') throw new Error(`\`${key}\` is not text`)
  return usable(found, key)
}

function words(value: JsonObject, key: string): string[] {
  const found = value[key] ?? []
  if (!Array.isArray(found) || found.length > mostWords) throw new Error(`\`${key}\` is not a list of at most ${mostWords} texts`)
  return found.map((word) => {
    if (typeof word !== 'string' && typeof word !== 'number' && typeof word !== 'boolean')
      throw new Error(`\`${key}\` has something other than text in it`)
    return usable(String(word), key)
  })
}

function record(value: JsonObject, key: string): Record<string, string> {
  const found = value[key] ?? {}
  if (!isObject(found)) throw new Error(`\`${key}\` is not an object`)
  const entries = Object.entries(found)
  if (entries.length > mostWords) throw new Error(`\`${key}\` has more than ${mostWords} entries`)
  return Object.fromEntries(
    entries.map(([name, one]) => {
      if (name === '__proto__') throw new Error(`\`${key}\` has a name that cannot be used`)
      if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean')
        throw new Error(`\`${key}.${shown(name)}\` is not text`)
      return [usable(name, key), usable(String(one), key)]
    }),
  )
}

function usable(found: string, key: string): string {
  if (found.length > longestText) throw new Error(`\`${key}\` is longer than ${longestText} characters`)
  // A tab or a line break may stand in a key; the others are there to deceive whoever reads it.
  if (/[^\P{Cc}\t\n\r]/u.test(found)) throw new Error(`\`${key}\` has a control character in it`)
  return found
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

function shown(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, '?').slice(0, 60)
}
