/**
 * A real Keycloak on loopback, in its development mode, with one realm that a test describes. It is fetched once from the registry of
 * Maven packages and kept in the system's folder for temporary files; without Java and Maven there is none.
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Json } from '../harness/json.ts'

export interface Keycloak extends AsyncDisposable {
  /** Address of the realm. */
  readonly issuer: string
  /** Tokens by the grant that the parameters say. */
  tokens(parameters: Readonly<Record<string, string>>): Promise<Json>
  /** Makes something as an administrator, below `/admin/realms/REALM`. */
  make(path: string, body: object): Promise<void>
}

const version = '26.7.3'
/** Its first start builds it, which takes minutes where there is much else to do. */
export const startsWithinMs = 900_000
const administrator = { name: 'admin', password: 'password-of-the-administrator' }

/** Why there is no Keycloak on this machine; undefined where there may be one. */
export const whyNoKeycloak: string | undefined = ['java', 'mvn']
  .filter((program) => spawnSync(program, ['-version']).status !== 0)
  .map((program) => `${program} is not installed`)[0]

/** `realm`: as Keycloak imports it. */
export async function startKeycloak(realm: Json): Promise<Keycloak> {
  const home = await mkdtemp(join(tmpdir(), 'turnward-keycloak-'))
  await cp(await distribution(), home, { recursive: true })
  await mkdir(join(home, 'data/import'), { recursive: true })
  await writeFile(join(home, 'data/import/realm.json'), JSON.stringify(realm))
  const port = await freePort()
  const command = ['bin/kc.sh', 'start-dev', `--http-port=${port}`, '--http-host=127.0.0.1', '--import-realm']
  const child = spawn('bash', command, {
    cwd: home,
    // A group of its own: the script starts Java as a child.
    detached: true,
    env: { ...process.env, KC_BOOTSTRAP_ADMIN_USERNAME: administrator.name, KC_BOOTSTRAP_ADMIN_PASSWORD: administrator.password },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    await ended
    await rm(home, { recursive: true, force: true })
  }
  const origin = `http://127.0.0.1:${port}`
  const name = String(realm['realm'])
  try {
    await ready(`${origin}/realms/${name}`, () => (child.exitCode === null ? undefined : said))
  } catch (error) {
    await close()
    throw error
  }
  return {
    issuer: `${origin}/realms/${name}`,
    tokens: (parameters) => tokens(`${origin}/realms/${name}`, parameters),
    async make(path, body) {
      const { access_token: token } = await tokens(`${origin}/realms/master`, {
        grant_type: 'password',
        client_id: 'admin-cli',
        username: administrator.name,
        password: administrator.password,
      })
      const response = await fetch(`${origin}/admin/realms/${name}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${await response.text()}`)
    },
    [Symbol.asyncDispose]: close,
  }
}

async function tokens(realm: string, parameters: Readonly<Record<string, string>>): Promise<Json> {
  const response = await fetch(`${realm}/protocol/openid-connect/token`, { method: 'POST', body: new URLSearchParams(parameters) })
  const answer = (await response.json()) as Json
  if (!response.ok) throw new Error(JSON.stringify(answer))
  return answer
}

/** Unpacked once; a run that was cut short leaves nothing that a later one would take for it. */
async function distribution(): Promise<string> {
  const kept = join(tmpdir(), `turnward-keycloak-${version}`)
  if ((await readdir(kept).catch(() => [])).length > 0) return kept
  const unpacked = await mkdtemp(join(tmpdir(), 'turnward-keycloak-new-'))
  const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:zip`
  await promisify(execFile)('mvn', ['-q', '-B', 'dependency:unpack', `-Dartifact=${artifact}`, `-DoutputDirectory=${unpacked}`])
  await rename(join(unpacked, `keycloak-${version}`), kept).catch(() => {})
  await rm(unpacked, { recursive: true, force: true })
  return kept
}

async function ready(address: string, hasEnded: () => string | undefined): Promise<void> {
  const end = performance.now() + startsWithinMs
  while (performance.now() < end) {
    const output = hasEnded()
    if (output !== undefined) throw new Error(`Keycloak has ended:\n${output}`)
    if ((await fetch(address).catch(() => undefined))?.ok === true) return
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error('Keycloak is not ready in time')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
