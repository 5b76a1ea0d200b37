/**
 * Refuses settings that are well formed and still must not run: a server without a sandbox nobody asked for,
 * headers and environments that could not be sent as written, patterns that do not compile.
 */
import { createPrivateKey, type JsonWebKey } from 'node:crypto'
import { RE2JS } from 're2js'
import type { Config, ServerConfig } from '@turnward/contract/config'
import { connectionHeaders, fieldName } from '../http1/header-fields.ts'
import { egressProblems } from './egress-rules.ts'
import { fetchingCommand, insteadOf } from './fetching-commands.ts'
import type { ConfigPath } from './locate.ts'
import { podEgressProblems } from './pod-egress.ts'
import type { ReportAt } from './problems.ts'

type StdioServer = Extract<ServerConfig, { transport: 'stdio' }>

/** Reports every setting that must not run as written. */
export function checkSafety(config: Config, report: ReportAt): void {
  for (const [id, { secret, aws }] of Object.entries(config.credentials)) {
    if (secret !== undefined) checkSendable(secret, ['credentials', id, 'secret'], report)
    for (const part of ['access_key_id', 'secret_access_key', 'session_token'] as const)
      if (aws?.[part] !== undefined) checkSendable(aws[part], ['credentials', id, 'aws', part], report)
  }
  for (const [id, key] of Object.entries(config.keys)) checkSendable(key.secret, ['keys', id, 'secret'], report)
  for (const [index, host] of config.listen.hosts.entries()) {
    if (/[\s/@?#\\]/.test(host) || host === '')
      report(['listen', 'hosts', index], 'is no host name as a Host header has it: write `name`, without scheme, user or path')
  }
  for (const [pattern, contract] of Object.entries(config.contracts)) {
    checkReaders(contract.output.audience, ['contracts', pattern, 'output', 'audience'], report)
    checkReaders(contract.requires.audience?.includes, ['contracts', pattern, 'requires', 'audience', 'includes'], report)
  }
  checkHeaders(config.telemetry.traces.headers, ['telemetry', 'traces', 'headers'], report)
  for (const [name, upstream] of Object.entries(config.upstreams)) {
    checkHeaders(upstream.headers, ['upstreams', name, 'headers'], report, bodyHeaders)
    if (!('steps' in upstream)) continue
    for (const [index, step] of upstream.steps.entries()) {
      for (const condition of ['task', 'seen', 'last'] as const)
        checkPattern(step.when[condition], ['upstreams', name, 'steps', index, 'when', condition], report)
    }
  }
  for (const [name, server] of Object.entries(config.servers)) {
    if (server.transport === 'stdio') checkStdio(server, ['servers', name], report)
    else {
      checkHeaders(server.headers, ['servers', name, 'headers'], report, bodyHeaders)
      checkServerAuth(server, ['servers', name], report)
    }
  }
}

/** Which settings belong to which runner, and what a container cannot have. */
function checkContainer(server: StdioServer, path: ConfigPath, report: ReportAt): void {
  const { runner } = server
  for (const kind of ['docker', 'kubernetes'] as const) {
    if (runner === kind && server[kind] === undefined)
      report([...path, kind], `\`runner: ${kind}\` needs \`${kind}: { image: … }\``, { where: 'key' })
    if (runner !== kind && server[kind] !== undefined) report([...path, kind], `\`runner: ${runner}\` has no use for it`, { where: 'key' })
  }
  if (runner === 'kubernetes') checkPod(server, path, report)
  if (runner === 'docker' && server.network.length > 0)
    report(
      [...path, 'network'],
      'a container has no network here: the engine could only open all of it, and not the listed hosts alone. Run the server with bubblewrap, or elsewhere with `transport: http`',
      { code: 'config.not_available' },
    )
  if (runner !== 'docker' && runner !== 'kubernetes' && server.command.length === 0)
    report([...path, 'command'], 'it is needed: executable and arguments')
}

function checkPod(server: StdioServer, path: ConfigPath, report: ReportAt): void {
  if (server.mounts.length > 0)
    report([...path, 'mounts'], 'a pod runs on another host, which does not have these folders', { where: 'key' })
  for (const { index, why } of podEgressProblems(server.network)) report([...path, 'network', index], why)
  if (server.limits.unenforced === 'refuse')
    report(
      [...path, 'limits', 'unenforced'],
      'a pod cannot be made with a limit for its processes; set `podPidsLimit` on the nodes, and say `limits: { unenforced: accept }` here',
    )
}

/** What only the sandbox has. */
function checkSandboxed(server: StdioServer, path: ConfigPath, report: ReportAt): void {
  const contained = server.runner === 'docker' || server.runner === 'kubernetes'
  if (server.runtime !== undefined && contained)
    report([...path, 'runtime'], 'what is in a container is decided by its image', { where: 'key' })
  if (server.runtime === 'browser' && server.runner === 'process')
    report([...path, 'runtime'], '`runtime: browser` is for the sandbox, which `runner: process` does not have')
  if (server.home === 'keep' && server.runner !== 'bubblewrap')
    report([...path, 'home'], 'only the sandbox keeps a home; mount a folder that the server may write to')
  if (server.home === 'keep' && server.per === 'principal')
    report([...path, 'home'], 'what one person leaves there another could read, which `per: principal` promises will not happen')
}

function checkStdio(server: StdioServer, path: ConfigPath, report: ReportAt): void {
  checkContainer(server, path, report)
  checkSandboxed(server, path, report)
  if (server.runner === 'process' && !server.unsafe_no_sandbox)
    report(
      [...path, 'runner'],
      '`runner: process` isolates nothing; set `unsafe_no_sandbox: true` next to it if you trust this server with everything this user can reach',
    )
  for (const [index, { write }] of server.mounts.entries())
    if (write && server.per === 'principal')
      report(
        [...path, 'mounts', index, 'write'],
        'what one person writes there another could read, which `per: principal` promises will not happen; each child has a home of its own to write to',
      )
  if (server.per === 'cluster' && server.idle_ms !== undefined)
    report([...path, 'idle_ms'], 'a server that runs once in the cluster is not stopped when it is idle: what it keeps would be lost')
  for (const [name, value] of Object.entries(server.env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      report([...path, 'env', name], `\`${name}\` cannot be the name of an environment variable`, { where: 'key' })
    if (value.includes('\0')) report([...path, 'env', name], 'an environment variable cannot hold a NUL character')
  }
  for (const { index, why } of egressProblems(server.network)) report([...path, 'network', index], why)
  const fetching = fetchingCommand(server.command)
  if (fetching !== undefined)
    report(
      [...path, 'command'],
      `\`${fetching.program}\` fetches what it runs when the server starts, and nobody would know what that is; instead: ${insteadOf(fetching, String(path[1]))}`,
    )
  for (const [index, part] of server.command.entries()) {
    if (part.includes('\0')) report([...path, 'command', index], 'an argument cannot hold a NUL character')
  }
}

/** What the body is and what may come back: both are said by whoever makes the request, and a configured one would be lost. */
const bodyHeaders: ReadonlySet<string> = new Set(['accept', 'content-type'])

/** White space around a reader would be cut off, and the name under which it was written never found. */
function checkReaders(readers: readonly string[] | undefined, path: ConfigPath, report: ReportAt): void {
  for (const [index, reader] of (readers ?? []).entries()) {
    if (reader !== reader.trim()) report([...path, index], 'begins or ends with white space')
  }
}

/** Field names of RFC 9110 section 5.1; the connection's own headers are not an administrator's to set. */
function checkHeaders(
  headers: Readonly<Record<string, string>>,
  path: ConfigPath,
  report: ReportAt,
  own: ReadonlySet<string> = new Set(),
): void {
  const seen = new Set<string>()
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    if (!fieldName.test(name)) report([...path, name], 'this cannot be the name of an HTTP header', { where: 'key' })
    else if (connectionHeaders.has(lower))
      report([...path, name], `\`${name}\` is set by the connection and cannot be configured`, { where: 'key' })
    else if (own.has(lower)) report([...path, name], `\`${name}\` is set for each request and cannot be configured`, { where: 'key' })
    else if (seen.has(lower)) report([...path, name], `\`${name}\` is listed twice in different case`, { where: 'key' })
    seen.add(lower)
    checkSendable(value, [...path, name], report)
  }
}

function isPrivateKey(text: string): boolean {
  try {
    if (text.trimStart().startsWith('{')) createPrivateKey({ key: JSON.parse(text) as JsonWebKey, format: 'jwk' })
    else createPrivateKey(text)
    return true
  } catch {
    return false
  }
}

/** A header is said in one place: in another one it would quietly win or lose. */
function checkServerAuth({ headers, auth }: Exclude<ServerConfig, StdioServer>, path: ConfigPath, report: ReportAt): void {
  if (auth === undefined || auth.kind === 'none') return
  const own =
    auth.kind === 'header'
      ? Object.keys(auth.headers ?? { [auth.header]: '' })
      : [auth.kind === 'person_header' ? auth.header : 'authorization']
  if (auth.kind === 'header' && auth.headers !== undefined) checkHeaders(auth.headers, [...path, 'auth', 'headers'], report, bodyHeaders)
  else if (auth.kind === 'header' || auth.kind === 'person_header')
    checkHeaders({ [auth.header]: '' }, [...path, 'auth', 'header'], report, bodyHeaders)
  const key = 'client' in auth ? auth.client.private_key : undefined
  if (key !== undefined && !isPrivateKey(key))
    report([...path, 'auth', 'client', 'private_key'], 'is no private key that can be read: write PEM (PKCS #8) or a JWK')
  for (const name of Object.keys(headers))
    if (own.some((other) => other.toLowerCase() === name.toLowerCase()))
      report([...path, 'headers', name], `\`auth\` of the server sends \`${name}\` too; say it in one place`, { where: 'key' })
}

/** Values of RFC 9110 section 5.5, visible ASCII and inner blanks: a line break would start another header. */
function checkSendable(value: string, path: ConfigPath, report: ReportAt): void {
  if (!/^[\x20-\x7e\t]*$/.test(value)) report(path, 'holds a line break or another character that cannot be sent in a header')
  else if (value !== value.trim()) report(path, 'begins or ends with white space')
}

function checkPattern(pattern: string | undefined, path: ConfigPath, report: ReportAt): void {
  if (pattern === undefined) return
  try {
    RE2JS.compile(pattern)
  } catch {
    report(path, 'is not a pattern this gateway can run (linear-time regular expressions: no back references, no look-around)')
  }
}
