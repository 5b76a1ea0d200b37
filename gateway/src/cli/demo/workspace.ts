/** The folders and variables one run of the demo uses. Everything lives in a temporary folder. */
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { newVirtualKey } from '../../identity/ways/key/virtual-keys.ts'
import { packageFolder } from '../package-folder.ts'

const demoFolder = join(packageFolder, 'demo')
/** The build has made one file of it, because what it imports is not published beside us. */
const mailServer = import.meta.url.endsWith('.ts') ? join(demoFolder, 'mail-server.ts') : join(packageFolder, 'dist/mail-server.js')

export interface Workspace {
  readonly configPath: string
  readonly key: string
  readonly dataDir: string
  readonly notes: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Mail that really left, in order. */
  sent(): Promise<readonly { readonly to: string }[]>
  remove(): Promise<void>
}

export interface WorkspaceOptions {
  readonly sandboxed: boolean
  /** 0 picks a free port. */
  readonly port: number
}

export async function makeWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const root = await mkdtemp(join(tmpdir(), 'turnward-demo-'))
  // The sandbox runs servers as another user, who must reach the mounted folders below.
  await chmod(root, 0o755)
  const [dataDir, mail, notes] = [join(root, 'data'), join(root, 'mail'), join(root, 'notes')]
  for (const folder of [mail, notes]) await mkdir(folder)
  await copyFile(join(demoFolder, 'inbox.json'), join(mail, 'inbox.json'))
  const filesystem = options.sandboxed ? filesystemServer() : undefined
  const key = newVirtualKey()
  return {
    configPath: join(demoFolder, filesystem === undefined ? 'mail-only.yaml' : 'turnward.yaml'),
    key,
    dataDir,
    notes,
    env: {
      DEMO_DATA: dataDir,
      DEMO_MAIL: mail,
      DEMO_MAIL_SERVER: mailServer,
      DEMO_NOTES: notes,
      DEMO_KEY: key,
      DEMO_PORT: String(options.port),
      DEMO_FILESYSTEM: filesystem,
      DEMO_RUNNER: options.sandboxed ? 'bubblewrap' : 'process',
      DEMO_UNSAFE: String(!options.sandboxed),
    },
    async sent() {
      const lines = await readFile(join(mail, 'sent.jsonl'), 'utf8').catch(() => '')
      return lines.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as { to: string }]))
    },
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

/** Where `demo --identity` keeps its data; `env`: what its configuration is told. */
export async function makeIdentityWorkspace(
  env: Readonly<Record<string, string>>,
): Promise<Pick<Workspace, 'configPath' | 'dataDir' | 'env' | 'remove'>> {
  const root = await mkdtemp(join(tmpdir(), 'turnward-demo-'))
  const dataDir = join(root, 'data')
  return {
    configPath: join(demoFolder, 'identity.yaml'),
    dataDir,
    env: { ...env, DEMO_DATA: dataDir },
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

/** Entry script of the third-party server, when it is installed beside us. */
function filesystemServer(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/package.json')
    return join(dirname(manifest), 'dist/index.js')
  } catch {
    return undefined
  }
}
