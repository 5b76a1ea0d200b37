/** Runs the published suite of the protocol as its own process and reads what it checked. */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parse } from 'yaml'
import { installed } from '../mcp/upstream-servers.ts'

const packageFolder = '@modelcontextprotocol/conformance'

export type Revision = '2025-11-25' | '2026-07-28'
export type Leg = 'server' | 'client'

export interface Check {
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly errorMessage?: string
}

/** Scenario -> what it checked, in its order. */
export type Ran = ReadonlyMap<string, readonly Check[]>

/** What a server must pass, or a client, to conform to a revision: frozen by the suite. */
export async function required(revision: Revision, leg: Leg): Promise<readonly string[]> {
  const text = await readFile(installed(join(packageFolder, 'requirements', `${revision}.yaml`)), 'utf8')
  return (parse(text) as Record<Leg, string[]>)[leg]
}

/** Every scenario of a revision against a server. */
export function checkServer(url: string, revision: Revision): Promise<Ran> {
  return run(['server', '--url', url, '--requirements', revision])
}

/** Single scenarios of a revision against a server. */
export async function checkScenarios(url: string, scenarios: readonly string[], revision: Revision): Promise<Ran> {
  const ran = new Map<string, readonly Check[]>()
  for (const scenario of scenarios)
    for (const [name, checks] of await run(['server', '--url', url, '--scenario', scenario, '--spec-version', revision, '--force']))
      ran.set(name, checks)
  return ran
}

/** One scenario against a client: the suite starts `command` with the URL of its own server as the last argument. */
export function checkClient(command: string, scenario: string, revision: Revision, env: Readonly<Record<string, string>>): Promise<Ran> {
  return run(['client', '--command', command, '--scenario', scenario, '--spec-version', revision, '--force'], env)
}

export interface AuthorizationClient {
  readonly id: string
  /** The suite waits for its answer at `http://127.0.0.1:port/callback`. */
  readonly port: number
  /** What it wants a token for. */
  readonly resource: string
}

/** Every scenario of a revision against an authorization server; `visit` opens an address as the browser of a person who agrees. */
export function checkAuthorizationServer(
  issuer: string,
  { id, port, resource }: AuthorizationClient,
  revision: Revision,
  visit: (address: string) => Promise<void>,
): Promise<Ran> {
  const args = ['authorization', '--url', issuer, '--client-id', id, '--port', String(port), '--resource', resource]
  return run([...args, '--spec-version', revision], {}, (line) => {
    if (line.startsWith(`${issuer}/`)) return visit(line)
    return undefined
  })
}

/** `told`: hears every line that the suite writes to standard output. */
async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  told: (line: string) => Promise<void> | undefined = () => undefined,
): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'turnward-suite-'))
  try {
    const child = spawn(process.execPath, [installed(`${packageFolder}/dist/index.js`), ...args, '--output-dir', folder], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const heard: (Promise<void> | undefined)[] = []
    createInterface(child.stdout).on('line', (line) => heard.push(told(line)))
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
    await Promise.all(heard)
    const ran = await readChecks(folder)
    // Its exit code tells of failed checks too, which are judged elsewhere.
    if (ran.size === 0) throw new Error(`the suite checked nothing:\n${said}`)
    return ran
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A folder each scenario, called after its leg, itself and the time it ran. */
async function readChecks(folder: string): Promise<Ran> {
  const ran = new Map<string, readonly Check[]>()
  for (const path of (await readdir(folder, { recursive: true })).toSorted()) {
    const [, name] = /^(?:server-|authorization-server-(?=authorization-))?(.+)-\d{4}-\d\d-\d\dT[^/]*\/checks\.json$/.exec(path) ?? []
    if (name !== undefined) ran.set(name, JSON.parse(await readFile(join(folder, path), 'utf8')) as Check[])
  }
  return ran
}
